import t from 'tap'
import type { Member } from '../../../src/facts/decide/member.ts'
import { clusterDocument } from '../../../src/facts/report/cluster-json.ts'
import {
  clusterOf,
  type DaemonAddress,
  type PeerSight,
} from '../../../src/facts/report/cluster-members.ts'
import type { Lsn, SystemIdentifier } from '../../../src/facts/units.ts'
import { member } from '../../harness/standing-table.ts'

const at = (host: string, changes: Partial<DaemonAddress> = {}): DaemonAddress => ({
  secure: false,
  host,
  port: 8008,
  ...changes,
})
const primary = member({
  name: 's1',
  answer: 'primary',
  rule: 'in production',
  walPosition: 0x500_4000n as Lsn,
})
const standby = member({ replication: 'streaming', walPosition: 0x500_2000n as Lsn })
const own = { member: primary, address: at('s1') }

let daemons = 0
/** A daemon of its own, unless another instance is given. */
const heard = (changes: Partial<Member> = {}, more: Partial<PeerSight> = {}): PeerSight => ({
  address: at('s2'),
  isSelf: false,
  member: { ...standby, instance: `daemon ${(daemons += 1)}`, ...changes },
  ageMs: 250.4,
  silentBecause: null,
  phases: [],
  ...more,
})

type Printed = { members: Record<string, unknown>[]; scope: unknown }
const printed = (
  own: { readonly member: Member; readonly address: DaemonAddress },
  peers: readonly PeerSight[],
): Printed => JSON.parse(clusterDocument(clusterOf({ ...own, phases: [] }, peers))) as Printed
const peers = (...sights: PeerSight[]) => printed(own, sights).members.slice(1)

t.test('the document has the form of that of Patroni, and more fields', async t => {
  t.strictSame(printed(own, [heard()]), {
    members: [
      {
        name: 's1',
        role: 'leader',
        state: 'running',
        api_url: 'http://s1:8008/status',
        host: 's1',
        port: 5432,
        timeline: 2,
        answer: 'primary',
        rule: 'in production',
        because: 'postmaster pid 1 is ready',
        age_ms: 0,
        hazards: [],
      },
      {
        name: 's2',
        role: 'replica',
        state: 'streaming',
        api_url: 'http://s2:8008/status',
        host: 's2',
        port: 5432,
        timeline: 2,
        lag: 8192,
        answer: 'standby',
        rule: 'in archive recovery',
        because: 'postmaster pid 1 is ready',
        age_ms: 250,
        hazards: [],
      },
    ],
    scope: '7395001122334455667',
  })
})

t.test('the lag is that to the primary, wherever that is', async t => {
  const asStandby = { member: standby, address: at('s2') }
  const sights = [heard({ ...primary }), heard({ walPosition: 0x500_4000n as Lsn, name: 's3' })]
  t.match(printed(asStandby, sights).members, [{ lag: 8192 }, { role: 'leader' }, { lag: 0 }])
  t.match(printed(asStandby, [heard()]).members, [{ lag: 'unknown' }, { lag: 'unknown' }])
  const silent = heard({ ...primary }, { silentBecause: 'ECONNREFUSED' })
  t.match(printed(asStandby, [silent]).members, [{ lag: 'unknown' }, { lag: 'unknown' }])
})

t.test('a member that does not answer is listed, with what is known and the reason', async t => {
  const silentBecause = 'ECONNREFUSED'
  t.strictSame(
    peers(
      heard({}, { silentBecause, ageMs: 35_000 }),
      heard({}, { address: at('::1', { secure: true }), member: null, ageMs: null, silentBecause }),
    ),
    [
      {
        name: 's2',
        role: 'unknown',
        state: 'unknown',
        api_url: 'http://s2:8008/status',
        host: 's2',
        port: 5432,
        timeline: 2,
        lag: 'unknown',
        answer: null,
        rule: null,
        because: 'ECONNREFUSED',
        age_ms: 35_000,
        hazards: null,
      },
      {
        name: '[::1]:8008',
        role: 'unknown',
        state: 'unknown',
        api_url: 'https://[::1]:8008/status',
        host: '::1',
        lag: 'unknown',
        answer: null,
        rule: null,
        because: 'ECONNREFUSED',
        age_ms: null,
        hazards: null,
      },
    ],
  )
})

t.test('a peer that is this daemon is how the others reach it', async t => {
  const self = heard({}, { isSelf: true, address: at('s1.example.com'), member: null })
  t.match(printed(own, [self, heard()]).members, {
    length: 2,
    0: { name: 's1', role: 'leader', host: 's1.example.com', age_ms: 0 },
    1: { name: 's2' },
  })
})

t.test('servers of one host have the port in their name', async t => {
  const other = heard({ name: 's1' }, { address: at('s1', { port: 8009 }) })
  t.match(printed(own, [other, heard()]).members, [
    { name: 's1:8008' },
    { name: 's1:8009' },
    { name: 's2' },
  ])
})

t.test('the state is in words of Patroni, where it has one', async t => {
  const states: readonly (readonly [state: string, of: Partial<Member>])[] = [
    ['running', { replication: null }],
    ['running', { replication: 'unknown' }],
    ['catching up', { replication: 'catching up' }],
    ['not connected', { replication: 'not connected' }],
    ['stopped', { answer: 'unavailable', rule: 'no lock file' }],
    ['starting', { answer: 'unavailable', rule: 'starting' }],
    ['running', { answer: 'unavailable', rule: 'superseded' }],
    ['unknown', { answer: 'unavailable', rule: 'maintenance' }],
    ['unknown', { answer: 'unavailable', rule: 'constructor' }],
  ]
  for (const [state, changes] of states) t.match(peers(heard(changes)), [{ state }], state)
  const unavailable = { answer: 'unavailable', rule: 'superseded' } as const
  t.match(peers(heard(unavailable)), [{ role: 'unavailable', lag: 'unknown' }])
})

t.test('a member of another cluster is reported as one', async t => {
  const because = 'its system identifier 5 is that of another cluster; postmaster pid 1 is ready'
  t.match(peers(heard({ systemIdentifier: 5n as SystemIdentifier })), [{ because }])
  t.match(peers(heard({ systemIdentifier: null })), [{ because: /^postmaster/ }])
  const unread = { member: member({ systemIdentifier: null }), address: at('s1') }
  t.match(printed(unread, [heard()]), { scope: null, members: [{}, { because: /^postmaster/ }] })
})

t.test('what is not known is left out, as in Patroni', async t => {
  const [found = {}] = peers(heard({ port: null, history: null, hazards: null }))
  t.notOk('port' in found || 'timeline' in found)
  t.match(found, { hazards: null, lag: 'unknown' })
})

t.test('a daemon that is listed with two addresses is one member', async t => {
  const instance = 'one'
  const again = heard({ instance }, { address: at('192.0.2.2') })
  const silent = heard({}, { address: at('s4'), member: null, ageMs: null, silentBecause: 'x' })
  t.match(peers(heard({ instance }), again, silent, { ...silent, address: at('s5') }), [
    { name: 's2', host: 's2' },
    { host: 's4' },
    { host: 's5' },
  ])
  t.equal(peers(heard({ instance }), heard({ instance: 'another' })).length, 2)
})
