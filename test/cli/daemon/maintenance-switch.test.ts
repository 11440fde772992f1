import t from 'tap'
import { createMaintenanceSwitch } from '../../../src/cli/daemon/maintenance-switch.ts'
import type { Event } from '../../../src/facts/report/event.ts'
import { maintenanceOn, noMaintenance } from '../../../src/facts/decide/maintenance-mode.ts'
import { fakeHost, openFolder } from '../../harness/fake-host.ts'
import { primaryEvidence } from '../../harness/evidence.ts'
import { deferred, settle } from '../../harness/manual-clock.ts'
import { serveDefaults } from '../../harness/serve-options.ts'

const setUp = () => {
  const fake = fakeHost(primaryEvidence())
  const events: Event[] = []
  const maintenance = createMaintenanceSwitch(fake.host, event => events.push(event))
  return { ...fake, events, maintenance }
}

t.test(
  'a switch drains every cluster, and those that come later, until it is switched off',
  async t => {
    const { maintenance, events } = setUp()
    const first = maintenance.watchFor(serveDefaults)
    t.equal(first.current(), noMaintenance)
    maintenance.toggle()
    const second = maintenance.watchFor(serveDefaults)
    for (const watch of [first, second]) t.match(watch.current(), { kind: 'on' })
    first.close()
    maintenance.toggle()
    t.match(first.current(), { kind: 'on' }, 'nobody tells who has been closed')
    t.equal(second.current(), noMaintenance)
    t.strictSame(events, [
      { kind: 'maintenance toggled', on: true },
      { kind: 'maintenance toggled', on: false },
    ])
  },
)

t.test(
  'a file is checked with each tick, and ten times a second where those are rarer',
  async t => {
    for (const [intervalMs, everyMs] of [
      [50, 50],
      [5000, 100],
    ] as const) {
      const { maintenance, maintain, clock } = setUp()
      const watch = maintenance.watchFor({
        ...serveDefaults,
        intervalMs,
        maintenanceFile: '/run/maintenance',
      })
      t.teardown(watch.close)
      watch.start(() => undefined)
      await settle()
      t.equal(watch.current(), noMaintenance)
      maintain(maintenanceOn('new kernel'))
      clock.advance(everyMs)
      await settle()
      t.strictSame(watch.current(), maintenanceOn('new kernel'))
    }
  },
)

t.test(
  'each folder in which others could create the file is reported once, on request',
  async t => {
    const { maintenance, events } = setUp()
    const one = `${openFolder}/one`
    for (const maintenanceFile of [one, one, null, '/run/ours', `${openFolder}/two`])
      maintenance.watchFor({ ...serveDefaults, maintenanceFile })
    await settle()
    t.strictSame(events, [])
    maintenance.checkFolders()
    await settle()
    const told = [one, `${openFolder}/two`].map(path => ({
      kind: 'maintenance open',
      path,
      because: `${openFolder} is writable by all users`,
    }))
    t.strictSame(events, told)
    maintenance.checkFolders()
    await settle()
    t.strictSame(events, [...told, ...told])
  },
)

t.test('a disk that hangs holds up one check, however often it is asked for', async t => {
  const fake = fakeHost(primaryEvidence())
  let checks = 0
  const { promise, resolve } = deferred<string | null>()
  const whoElseWrites = () => {
    checks += 1
    return promise
  }
  const maintenance = createMaintenanceSwitch({ ...fake.host, whoElseWrites }, () => undefined)
  maintenance.watchFor({ ...serveDefaults, maintenanceFile: '/run/maintenance' })
  maintenance.checkFolders()
  maintenance.checkFolders()
  await settle()
  t.equal(checks, 1)
  resolve(null)
  await settle()
  maintenance.checkFolders()
  t.equal(checks, 2)
})
