import t from 'tap'
import { createDrain } from '../../src/cli/drain.ts'
import type { Event } from '../../src/facts/event.ts'
import { drained, noMaintenance } from '../../src/facts/maintenance.ts'
import { fakeOutside } from '../harness/fake-outside.ts'
import { primaryEvidence } from '../harness/evidence.ts'
import { settle } from '../harness/manual-clock.ts'
import { serveDefaults } from '../harness/serve-options.ts'

const setUp = () => {
  const fake = fakeOutside(primaryEvidence())
  const events: Event[] = []
  const drain = createDrain(fake.outside, event => events.push(event))
  return { ...fake, events, drain }
}

t.test(
  'a switch drains every cluster, and those that come later, until it is switched off',
  async t => {
    const { drain, events } = setUp()
    const first = drain.watchFor(serveDefaults)
    t.equal(first.current(), noMaintenance)
    drain.toggle()
    const second = drain.watchFor(serveDefaults)
    for (const watch of [first, second]) t.match(watch.current(), { kind: 'drained' })
    first.close()
    drain.toggle()
    t.match(first.current(), { kind: 'drained' }, 'nobody tells who has been closed')
    t.equal(second.current(), noMaintenance)
    t.strictSame(events, [
      { kind: 'maintenance toggled', on: true },
      { kind: 'maintenance toggled', on: false },
    ])
  },
)

t.test(
  'a file is looked at with each tick, and ten times a second where those are rarer',
  async t => {
    for (const [intervalMs, everyMs] of [
      [50, 50],
      [5000, 100],
    ] as const) {
      const { drain, maintain, clock } = setUp()
      const watch = drain.watchFor({
        ...serveDefaults,
        intervalMs,
        maintenanceFile: '/run/drained',
      })
      t.teardown(watch.close)
      watch.start(() => undefined)
      await settle()
      t.equal(watch.current(), noMaintenance)
      maintain(drained('new kernel'))
      clock.advance(everyMs)
      await settle()
      t.strictSame(watch.current(), drained('new kernel'))
    }
  },
)
