import t from 'tap'
import { checkOnce } from '../../../src/cli/commands/single-check.ts'
import type { Evidence } from '../../../src/facts/decide/evidence.ts'
import { noVitalSigns } from '../../../src/observe/processes/liveness.ts'
import {
  children,
  controlFile,
  lockFile,
  noSignalFiles,
  noon,
  primaryEvidence,
  seen,
  standbyChildren,
  standbyEvidence,
} from '../../harness/evidence.ts'
import { deferred, settle } from '../../harness/manual-clock.ts'
import { fakeHost, passTimeUntil } from '../../harness/fake-host.ts'
import { shortageCodes, systemFailure } from '../../harness/system-failure.ts'

const starting = primaryEvidence({ lockFile: seen(lockFile({ status: 'starting' })) })

/** Looks find these, one after the other. */
const look = (...findings: readonly (Evidence | null)[]) => lookFor(0, findings)

const lookFor = async (restartMs: number, findings: readonly (Evidence | null)[]) => {
  const fake = fakeHost(null)
  const { clock } = fake.host
  let looks = 0
  let closed = 0
  const probe = {
    look: () => {
      fake.find(findings[looks] ?? null)
      looks += 1
      return fake.host.openProbe({} as never).look()
    },
    watchFreezer: () => {},
    close: () => {
      closed += 1
    },
  }
  const snapshot = await passTimeUntil(checkOnce(probe, clock, { restartMs }), fake)
  t.equal(closed, 1, 'the probe is closed')
  return { snapshot, looks, tookMs: fake.clock.now() }
}

t.test('a role is an answer at the first check, also one that is about to settle', async t => {
  t.match(await look(primaryEvidence()), {
    snapshot: { verdict: { role: 'primary' }, lookedAtUnix: noon, lookedAt: 0, lookMs: 0 },
    looks: 1,
  })
  const ending = standbyEvidence({
    controlFile: seen(controlFile({ state: 'shut down' })),
    children: standbyChildren(),
  })
  t.match(await look(ending), { snapshot: { verdict: { settled: false } }, looks: 1 })
})

t.test('so is what will not change by waiting', async t => {
  const down = primaryEvidence({ lockFile: { kind: 'absent' } })
  t.match(await look(down), { snapshot: { verdict: { rule: 'no lock file' } }, looks: 1 })
})

t.test('what passes is waited for', async t => {
  const untitled = primaryEvidence({ children: children({ checkpointer: null }) })
  const { snapshot, looks } = await look(untitled, untitled, primaryEvidence())
  t.match(snapshot, { verdict: { role: 'primary' } })
  t.equal(looks, 3)
})

t.test('a transient state is reported after a tenth of a second at most', async t => {
  const { snapshot, looks, tookMs } = await look(...Array<Evidence>(20).fill(starting))
  t.match(snapshot, { verdict: { rule: 'starting' } })
  t.equal(looks, 5)
  t.ok(tookMs <= 100, `${tookMs} ms`)
})

const restarting = primaryEvidence({ crashRestart: true })

t.test('a crash restart is waited for, as long as is wanted', async t => {
  const ends = [...Array<Evidence>(49).fill(restarting), primaryEvidence()]
  const patient = await lookFor(1500, ends)
  t.match(patient, { snapshot: { verdict: { role: 'primary' } }, looks: 50 })
  const hasty = await lookFor(0, ends)
  t.match(hasty, { snapshot: { verdict: { rule: 'crash restart' } }, looks: 5 })
})

t.test('and reported if it does not end', async t => {
  const { snapshot, tookMs } = await lookFor(1500, Array<Evidence>(1000).fill(restarting))
  t.match(snapshot, { verdict: { rule: 'crash restart' } })
  t.ok(tookMs >= 1500 && tookMs <= 1600, `${tookMs} ms`)
})

t.test('nothing else is waited for that long', async t => {
  const { looks } = await lookFor(1500, Array<Evidence>(1000).fill(starting))
  t.equal(looks, 5)
  const after = [...Array<Evidence>(10).fill(restarting), ...Array<Evidence>(90).fill(starting)]
  t.match(await lookFor(1500, after), { snapshot: { verdict: { rule: 'starting' } }, looks: 11 })
})

t.test('a void check is repeated, and does not void what was found before', async t => {
  t.match(await look(null, primaryEvidence()), { snapshot: { verdict: { role: 'primary' } } })
  t.match(await look(starting, null, null, null, null), {
    snapshot: { verdict: { rule: 'starting' } },
    looks: 5,
  })
})

t.test('a lock file that keeps changing leaves nothing to report', async t => {
  t.match(await look(), { snapshot: null, looks: 5 })
})

t.test('what a check only began to read is waited for', async t => {
  const { promise, resolve } = deferred<void>()
  const fake = fakeHost(null)
  let looks = 0
  let known = false
  const probe = {
    look: () => {
      looks += 1
      const evidence = standbyEvidence({
        signalFiles: noSignalFiles,
        promotion: known ? 'under way' : 'being checked',
      })
      const looked = { evidence, vitals: noVitalSigns, controlFileInode: null }
      return Promise.resolve(known ? looked : { ...looked, unfinished: promise })
    },
    watchFreezer: () => {},
    close: () => {},
  }
  const looking = checkOnce(probe, fake.host.clock, { restartMs: 0 })
  await settle()
  fake.clock.advance(1000)
  await settle()
  t.equal(looks, 1)
  known = true
  resolve()
  t.match(await passTimeUntil(looking, fake), { evidence: { promotion: 'under way' }, hazards: [] })
  t.equal(looks, 2)
})

t.test('hazards belong to what was seen', async t => {
  const { snapshot } = await look(standbyEvidence({ signalFiles: noSignalFiles }))
  t.match(snapshot, { hazards: [{ name: 'standby without signal file' }] })
  const down = await look(primaryEvidence({ lockFile: { kind: 'absent' } }))
  t.strictSame(down.snapshot?.hazards, [])
})

t.test('a shortage that passes is waited for, and one that lasts is thrown', async t => {
  for (const code of shortageCodes) {
    for (const shortLooks of [4, 5]) {
      const fake = fakeHost(primaryEvidence())
      const inner = fake.host.openProbe({} as never)
      let looks = 0
      const look: typeof inner.look = () => {
        looks += 1
        return looks <= shortLooks ? Promise.reject(systemFailure(code)) : inner.look()
      }
      const probe = { ...inner, look }
      const looking = passTimeUntil(checkOnce(probe, fake.host.clock, { restartMs: 0 }), fake)
      if (shortLooks === 4) t.match(await looking, { verdict: { role: 'primary' } })
      else await t.rejects(looking, { code })
      t.equal(fake.open(), 0, 'the probe is closed')
    }
  }
})
