import t, { type Test } from 'tap'
import { createHttpSurface } from '../../src/cli/http-surface.ts'
import { historyJson, type History } from '../../src/facts/history.ts'
import type { Snapshot } from '../../src/facts/snapshot.ts'
import { printJson, snapshotDocument } from '../../src/facts/snapshot-json.ts'
import type { Verdict } from '../../src/facts/verdict.ts'
import { wireWords } from '../../src/serve/reply.ts'
import { noon, primaryEvidence, snapshotOf, standbyEvidence } from '../harness/evidence.ts'
import { connects } from '../harness/connect-counters.ts'
import { createManualClock } from '../harness/manual-clock.ts'
import { listenAsStranger } from '../harness/tcp-client.ts'

const anywhere = { address: '127.0.0.1', port: 0 }
const lost: Verdict = {
  kind: 'unavailable',
  rule: 'pulse lost',
  because: 'postmaster pid 4711 is gone',
  settled: false,
}

const setup = async (
  t: Test,
  knowledge: {
    readonly verdict: () => Verdict | Promise<Verdict>
    readonly looked: () => Snapshot | null
    readonly snapshot?: () => Promise<Snapshot | null>
    readonly history?: () => History
  },
) => {
  const needs = {
    snapshot: async () => knowledge.looked(),
    history: () => [],
    ...knowledge,
    connects: () => [connects],
    leaseMs: 1500,
    allowed: null,
    clock: createManualClock().clock,
    report: () => undefined,
  }
  const surface = createHttpSurface([anywhere, { ...anywhere, address: '127.0.0.2' }], needs)
  t.teardown(surface.destroy)
  const started = await surface.start()
  if (!started.ok) throw new Error(started.fault.kind)
  const [first, second] = started.fact
  const ask = async (path: string, on = first) => {
    const response = await fetch(`http://${on?.address}:${on?.port}${path}`)
    return { code: response.status, body: await response.text() }
  }
  return { surface, ask, second }
}

t.test('each request is told the verdict of now, on every address', async t => {
  const snapshot = snapshotOf(primaryEvidence())
  const verdicts = [snapshot.verdict, lost, snapshot.verdict]
  const { ask, second } = await setup(t, {
    verdict: () => verdicts.shift() ?? lost,
    looked: () => snapshot,
  })
  t.strictSame(await ask('/primary'), { code: 200, body: `${wireWords.primary}\n` })
  t.strictSame(await ask('/primary'), { code: 503, body: `${wireWords.unavailable}\n` })
  t.strictSame(await ask('/primary', second), { code: 200, body: `${wireWords.primary}\n` })
})

t.test('one that has to be waited for is told when it is there', async t => {
  const snapshot = snapshotOf(standbyEvidence())
  const { ask } = await setup(t, {
    verdict: () => Promise.resolve(snapshot.verdict),
    looked: () => snapshot,
  })
  t.strictSame(await ask('/replica'), { code: 200, body: `${wireWords.standby}\n` })
})

t.test('whether a standby streams is seen in the titles of now, read for who asks', async t => {
  const snapshot = snapshotOf(standbyEvidence())
  let seen: Snapshot | null = snapshot
  let readings = 0
  const { ask } = await setup(t, {
    verdict: () => snapshot.verdict,
    looked: () => null,
    snapshot: async () => {
      readings += 1
      return seen
    },
  })
  t.match(await ask('/replica'), { code: 200 })
  t.equal(readings, 0)
  const path = '/replica?replication_state=streaming'
  t.match(await ask(path), { code: 200 })
  seen = snapshotOf(standbyEvidence({ children: { kind: 'invisible' } }))
  t.match(await ask(path), { code: 503 })
  seen = snapshotOf(primaryEvidence())
  t.match(await ask(path), { code: 503 })
  seen = null
  t.match(await ask(path), { code: 503 })
})

t.test('the status is the document of the snapshot, with the verdict of now', async t => {
  const snapshot = snapshotOf(primaryEvidence())
  let verdict = snapshot.verdict
  let seen: Snapshot | null = null
  const { ask } = await setup(t, { verdict: () => verdict, looked: () => seen })
  t.match(await ask('/status'), { code: 503 })
  seen = snapshot
  t.strictSame(await ask('/status'), { code: 200, body: snapshotDocument(snapshot) })
  verdict = lost
  t.match(JSON.parse((await ask('/status')).body), {
    verdict: 'unavailable',
    rule: 'pulse lost',
    lock_file: { pid: 4711 },
  })
})

t.test('a verdict that changes while titles are read is the one that is told', async t => {
  const snapshot = snapshotOf(standbyEvidence())
  let verdict = snapshot.verdict
  const { ask } = await setup(t, {
    verdict: () => verdict,
    looked: () => snapshot,
    snapshot: async () => {
      verdict = lost
      return snapshot
    },
  })
  t.match(await ask('/replica?replication_state=streaming'), { code: 503 })
})

t.test('the last changes are told as JSON', async t => {
  const { verdict } = snapshotOf(primaryEvidence())
  const history: History = [{ at: noon, from: null, to: verdict, postmaster: null, timeline: null }]
  const { ask } = await setup(t, {
    verdict: () => verdict,
    looked: () => null,
    history: () => history,
  })
  t.strictSame(await ask('/history'), { code: 200, body: printJson(historyJson(history)) })
})

t.test('a port in use is the outcome', async t => {
  const stranger = await listenAsStranger()
  t.teardown(() => stranger.server.close())
  const surface = createHttpSurface([anywhere, { ...anywhere, port: stranger.port }], {
    verdict: () => lost,
    looked: () => null,
    snapshot: async () => null,
    history: () => [],
    connects: () => [],
    leaseMs: 1500,
    allowed: null,
    clock: createManualClock().clock,
    report: () => undefined,
  })
  t.teardown(surface.destroy)
  t.match(await surface.start(), { ok: false, fault: { kind: 'port in use' } })
  t.same(surface.givenBy, { port: 'http', address: 'http' })
})

t.test('metrics tell what is known, and what has been counted meanwhile', async t => {
  const [one, two] = [snapshotOf(standbyEvidence()), snapshotOf(primaryEvidence())]
  let seen: Snapshot | null = null
  const { surface, ask } = await setup(t, { verdict: () => two.verdict, looked: () => seen })
  surface.follow(lost)
  t.match((await ask('/metrics')).body, /^pg_replstatus_look_duration_seconds_count 0$/m)
  for (const snapshot of [one, two]) {
    seen = snapshot
    surface.follow(snapshot.verdict)
  }
  const { code, body } = await ask('/metrics')
  t.equal(code, 200)
  t.match(body, /^pg_replstatus_role\{role="primary"\} 1$/m)
  t.match(body, /^pg_replstatus_role_changes_total 1$/m)
  t.match(body, /^pg_replstatus_look_duration_seconds_count 2$/m)
  t.match(body, /^pg_replstatus_answers_total\{answer="standby"\} 2$/m)
  t.match(body, /^pg_replstatus_connects_dropped_total\{listener="http"\} 0$/m)
})
