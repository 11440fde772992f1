import { connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { createHttpSurface, type Knowledge } from '../../../src/cli/daemon/http-surface.ts'
import { historyJson, type History } from '../../../src/facts/report/changes.ts'
import type { Snapshot } from '../../../src/facts/decide/snapshot.ts'
import { silence } from '../../../src/facts/report/phases.ts'
import { printJson, snapshotDocument } from '../../../src/facts/report/snapshot-json.ts'
import type { Verdict } from '../../../src/facts/decide/verdict.ts'
import { wireWords } from '../../../src/serve/role/reply.ts'
import type { Lsn, MonotonicMs, TimelineId, UnixMs } from '../../../src/facts/units.ts'
import type { Credentials } from '../../../src/serve/http/tls-credentials.ts'
import { createAuthority, openssl, pem } from '../../harness/certificates.ts'
import { fixedShare } from '../../harness/fixed-share.ts'
import { noon, primaryEvidence, snapshotOf, standbyEvidence } from '../../harness/evidence.ts'
import { connects } from '../../harness/connection-counters.ts'
import { createManualClock } from '../../harness/manual-clock.ts'
import { makeServerFolder } from '../../harness/stand-in.ts'
import { hearOn, listenAsStranger } from '../../harness/tcp-client.ts'
import { hearTls } from '../../harness/tls-client.ts'

const anywhere = { address: '127.0.0.1', port: 0 }
const access = { healthOnly: false, ownNames: [] }
const lost: Verdict = {
  kind: 'unavailable',
  rule: 'server process gone',
  because: 'postmaster pid 4711 is gone',
  settled: false,
}

/** Nothing is known. */
const idle = {
  verdict: () => lost,
  lastSnapshot: () => null,
  currentSnapshot: async () => null,
  history: () => [],
  lag: () => null,
  connections: () => [],
  leaseMs: 1500,
  identity: { instance: 'own', name: 'db1' },
  peers: () => [],
  allowed: null,
  credentials: null,
  share: fixedShare,
  clock: createManualClock().clock,
  report: () => undefined,
}

const setup = async (
  t: Test,
  knowledge: {
    readonly verdict: () => Verdict | Promise<Verdict>
    readonly lastSnapshot: () => Snapshot | null
    readonly currentSnapshot?: () => Promise<Snapshot | null>
    readonly history?: () => History
    readonly lag?: (snapshot: Snapshot) => number | null
    readonly peers?: Knowledge['peers']
  },
) => {
  const needs = {
    ...idle,
    currentSnapshot: async () => knowledge.lastSnapshot(),
    ...knowledge,
    connections: () => [connects],
  }
  const surface = createHttpSurface(
    [
      { on: anywhere, access },
      { on: { ...anywhere, address: '127.0.0.2' }, access: { ...access, healthOnly: true } },
    ],
    needs,
  )
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

t.test('each request gets the current verdict, on every address', async t => {
  const snapshot = snapshotOf(primaryEvidence())
  const verdicts = [snapshot.verdict, lost, snapshot.verdict]
  const { ask, second } = await setup(t, {
    verdict: () => verdicts.shift() ?? lost,
    lastSnapshot: () => snapshot,
  })
  t.strictSame(await ask('/primary'), { code: 200, body: `${wireWords.primary}\n` })
  t.strictSame(await ask('/primary'), { code: 503, body: `${wireWords.unavailable}\n` })
  t.strictSame(await ask('/primary', second), { code: 200, body: `${wireWords.primary}\n` })
})

t.test('one that has to be waited for is sent when it is available', async t => {
  const snapshot = snapshotOf(standbyEvidence())
  const { ask } = await setup(t, {
    verdict: () => Promise.resolve(snapshot.verdict),
    lastSnapshot: () => snapshot,
  })
  t.strictSame(await ask('/replica'), { code: 200, body: `${wireWords.standby}\n` })
})

t.test('whether a standby streams is read from the current titles, for each request', async t => {
  const snapshot = snapshotOf(standbyEvidence())
  let seen: Snapshot | null = snapshot
  let readings = 0
  const { ask } = await setup(t, {
    verdict: () => snapshot.verdict,
    lastSnapshot: () => null,
    currentSnapshot: async () => {
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
  const { ask } = await setup(t, { verdict: () => verdict, lastSnapshot: () => seen })
  t.match(await ask('/status'), { code: 503 })
  seen = snapshot
  t.strictSame(await ask('/status'), { code: 200, body: snapshotDocument(snapshot) })
  verdict = lost
  t.match(JSON.parse((await ask('/status')).body), {
    verdict: 'unavailable',
    rule: 'server process gone',
    lock_file: { pid: 4711 },
  })
})

t.test('a verdict that changes while titles are read is the one that is sent', async t => {
  const snapshot = snapshotOf(standbyEvidence())
  let verdict = snapshot.verdict
  const { ask } = await setup(t, {
    verdict: () => verdict,
    lastSnapshot: () => snapshot,
    currentSnapshot: async () => {
      verdict = lost
      return snapshot
    },
  })
  t.match(await ask('/replica?replication_state=streaming'), { code: 503 })
})

t.test('a port for health checks shows nothing else, and reads nothing for it', async t => {
  const snapshot = snapshotOf(standbyEvidence())
  const { ask, second } = await setup(t, {
    verdict: () => snapshot.verdict,
    lastSnapshot: () => snapshot,
    currentSnapshot: () => Promise.reject(new Error('titles were read')),
  })
  for (const path of ['/status', '/metrics', '/history'])
    t.match(await ask(path, second), { code: 403, body: /--http-health/ }, path)
  t.match(await ask('/replica', second), { code: 200 })
})

t.test('the last changes are sent as JSON', async t => {
  const { verdict } = snapshotOf(primaryEvidence())
  const history: History = [{ at: noon, from: null, to: verdict, postmaster: null, timeline: null }]
  const { ask } = await setup(t, {
    verdict: () => verdict,
    lastSnapshot: () => null,
    history: () => history,
  })
  // The second one is given the bytes of the first.
  for (const _ of ['one', 'other']) {
    t.strictSame(await ask('/history'), { code: 200, body: printJson(historyJson(history)) })
  }
})

t.test('a port in use is the outcome', async t => {
  const stranger = await listenAsStranger()
  t.teardown(() => stranger.server.close())
  const endpoints = [anywhere, { ...anywhere, port: stranger.port }].map(on => ({ on, access }))
  const surface = createHttpSurface(endpoints, idle)
  t.teardown(surface.destroy)
  t.match(await surface.start(), { ok: false, fault: { kind: 'port in use' } })
})

t.test('metrics have what is known, and what has been counted meanwhile', async t => {
  const one = snapshotOf(standbyEvidence())
  const two = snapshotOf(primaryEvidence(), { lookedAt: 1500 as MonotonicMs })
  let seen: Snapshot | null = null
  const { surface, ask } = await setup(t, { verdict: () => two.verdict, lastSnapshot: () => seen })
  surface.follow(lost)
  t.match((await ask('/metrics')).body, /^pg_replstatus_check_duration_seconds_count 0$/m)
  for (const snapshot of [one, two]) {
    seen = snapshot
    surface.follow(snapshot.verdict)
  }
  const { code, body } = await ask('/metrics')
  t.equal(code, 200)
  t.match(body, /^pg_replstatus_role\{role="primary"\} 1$/m)
  t.match(body, /^pg_replstatus_role_changes_total 1$/m)
  t.match(body, /^pg_replstatus_check_duration_seconds_count 2$/m)
  t.match(body, /^pg_replstatus_answers_total\{answer="standby"\} 2$/m)
  t.match(body, /^pg_replstatus_connections_dropped_total\{listener="http"\} 0$/m)
})

t.test(
  'with TLS, a certificate can be renewed, and metrics have its expiry',
  openssl.options,
  async t => {
    const authority = await createAuthority(makeServerFolder(t), 'ca')
    const read = async (name: string, expiresAt: number): Promise<Credentials> => {
      const files = await authority.issue(name)
      const [cert, key] = [pem(files.cert).text, pem(files.key).text]
      return { cert, key, ca: null, expiresAt: expiresAt as UnixMs }
    }
    const credentials = await read('first', 1000)
    const surface = createHttpSurface([{ on: anywhere, access }], { ...idle, credentials })
    t.teardown(surface.destroy)
    const started = await surface.start()
    const port = started.ok ? (started.fact[0]?.port ?? 0) : 0
    const metrics = async (): Promise<string> =>
      (await hearTls(port, 'GET /metrics HTTP/1.0\r\n\r\n')).bytes.toString()
    t.match(await metrics(), /^pg_replstatus_http_certificate_expiry_time_seconds 1$/m)
    surface.renew(await read('second', 2000))
    t.match(await metrics(), /^pg_replstatus_http_certificate_expiry_time_seconds 2$/m)
  },
)

t.test('the lag is that of the snapshot of now, on each page', async t => {
  const walPosition = 0x500_2000n as Lsn
  const now = snapshotOf(standbyEvidence({ walPosition }))
  const { ask } = await setup(t, {
    verdict: () => now.verdict,
    lastSnapshot: () => null,
    currentSnapshot: async () => now,
    lag: snapshot => (snapshot === now ? 8192 : null),
  })
  t.match(await ask('/replica?lag=8kB'), { code: 200 })
  t.match(await ask('/replica?lag=7kB'), { code: 503 })
  t.match(JSON.parse((await ask('/status')).body), { lag_bytes: 8192, wal_position: '0/5002000' })
  t.match((await ask('/metrics')).body, /^pg_replstatus_lag_bytes 8192$/m)
  t.match(JSON.parse((await ask('/member')).body), {
    instance: 'own',
    role: 'standby',
    wal_position: '0/5002000',
  })
})

t.test('the cluster is the member of now, and what is known of its peers', async t => {
  const now = snapshotOf(standbyEvidence())
  const address = { secure: true, host: 's2', port: 8009 }
  const silent = {
    address,
    isSelf: false,
    member: null,
    ageMs: null,
    silentBecause: 'ENOTFOUND',
    phases: [silence('ENOTFOUND', noon)],
  }
  const timeline = 3 as TimelineId
  const found = { at: noon, from: null, to: now.verdict, postmaster: null, timeline }
  const { ask } = await setup(t, {
    verdict: () => now.verdict,
    lastSnapshot: () => null,
    currentSnapshot: async () => now,
    peers: () => [silent],
    history: () => [found],
  })
  t.match(JSON.parse((await ask('/cluster')).body), {
    members: [
      { name: 'db1', role: 'replica', state: 'streaming', host: '127.0.0.1' },
      { name: 's2:8009', api_url: 'https://s2:8009/status', because: 'ENOTFOUND' },
    ],
  })
  const { body } = await ask('/ui')
  t.match(body, /<title>▲ No primary known<\/title>/)
  t.match(body, '<strong>s2:8009</strong>: found as silent ')
  t.match(body, '<strong>db1</strong>: found as standby, timeline 3 ')
})

t.test('on every address of the host it has its name', async t => {
  const surface = createHttpSurface([{ on: { address: null, port: 0 }, access }], idle)
  t.teardown(surface.destroy)
  const started = await surface.start()
  const port = started.ok ? (started.fact[0]?.port ?? 0) : 0
  const response = await fetch(`http://127.0.0.1:${port}/cluster`)
  t.match(await response.json(), { members: [{ name: 'db1', host: 'db1' }], scope: null })
})

t.test('before the first check a member reports nothing about itself, and has no lag', async t => {
  const { ask } = await setup(t, { verdict: () => lost, lastSnapshot: () => null })
  t.match(JSON.parse((await ask('/member')).body), { role: 'unavailable', age_ms: null })
  t.match(await ask('/replica?lag=7kB'), { code: 503 })
})

t.test('a Unix socket has every page, whichever clients are allowed elsewhere', async t => {
  const path = join(makeServerFolder(t), 'http.sock')
  const allowed = () => false
  const surface = createHttpSurface([{ on: { address: path, port: 0 }, access }], {
    ...idle,
    allowed,
  })
  t.teardown(surface.destroy)
  t.strictSame(await surface.start(), {
    ok: true,
    fact: [{ address: path, port: 0, purpose: 'http' }],
  })
  const socket = connect({ path })
  socket.write('GET /cluster HTTP/1.1\r\nHost: localhost\r\n\r\n')
  t.match(
    (await hearOn(socket)).bytes.toString(),
    /^HTTP\/1.1 200 OK[^]*"api_url": "http:\/\/db1:0\//,
  )
})
