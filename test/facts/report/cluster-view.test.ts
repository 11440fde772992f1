import * as fc from 'fast-check'
import t from 'tap'
import { clusterTable } from '../../../src/facts/report/cluster-table.ts'
import {
  decodeCluster,
  troublesOf,
  type ClusterView,
  type MemberView,
} from '../../../src/facts/report/cluster-view.ts'
import { anyText, assertPrintable, damaged } from '../../harness/foreign-text.ts'

const leader = {
  name: 'db1',
  role: 'leader',
  state: 'running',
  timeline: 2,
  rule: 'in production',
  because: 'postmaster pid 1 is ready',
  age_ms: 0,
  hazards: [],
}
const replica = {
  ...leader,
  name: 'db2',
  role: 'replica',
  state: 'streaming',
  lag: 8192,
  rule: 'in archive recovery',
  age_ms: 402,
}
const silent = {
  name: 'db4:8008',
  role: 'unknown',
  state: 'unknown',
  lag: 'unknown',
  rule: null,
  because: 'ECONNREFUSED',
  age_ms: null,
  hazards: null,
}
const superseded = {
  ...leader,
  name: 'db3',
  role: 'unavailable',
  timeline: 1,
  lag: 'unknown',
  rule: 'superseded',
  because:
    'another server was promoted: db1:8008 is on timeline 2, which began at 0/3000148 of timeline 1 of this server',
  age_ms: 61_000,
}
const documentOf = (...members: readonly object[]) => ({ members, scope: '7395001122334455667' })
const read = (document: unknown): ClusterView => {
  const found = decodeCluster(JSON.stringify(document))
  if (!found.ok) throw new Error(found.fault)
  return found.fact
}

t.test('a document is read', async t => {
  const document = documentOf(leader, replica, silent)
  const view = read({ ...document, later: 1 })
  t.strictSame(JSON.parse(view.document), { ...document, later: 1 })
  const { age_ms: ageMs, ...fields } = replica
  const members: readonly Partial<MemberView>[] = [
    { lag: null },
    { ...fields, ageMs },
    { lag: 'unknown' },
  ]
  t.match(view, { scope: '7395001122334455667', members })
})

t.test('that of Patroni has less', async t => {
  const { name, role, state } = leader
  t.match(read({ members: [{ name, role, state, lag: -1 }] }), {
    scope: null,
    members: [{ name: 'db1', timeline: null, lag: null, rule: null, ageMs: null, hazards: null }],
  })
})

t.test('what does not have its form is refused', async t => {
  for (const text of ['', '[]', 'null', '1']) {
    t.strictSame(decodeCluster(text), { ok: false, fault: 'not a JSON object' }, text)
  }
  for (const members of [undefined, {}, [1], [null], [[]], [{ ...leader, name: 1 }]]) {
    t.strictSame(decodeCluster(JSON.stringify({ members })), { ok: false, fault: 'members' })
  }
  for (const field of ['name', 'role', 'state']) {
    const lacking = documentOf({ ...leader, [field]: null })
    t.match(decodeCluster(JSON.stringify(lacking)), { fault: 'members' }, field)
  }
})

t.test('nothing makes it throw, and nothing acts on a terminal', async () => {
  const whole = JSON.stringify(documentOf(leader, replica, superseded, silent))
  const member = fc.record({ name: anyText, role: anyText, state: anyText, because: anyText })
  const hostile = fc.array(member).map(members => JSON.stringify({ members, scope: '\u001B' }))
  fc.assert(
    fc.property(fc.oneof(anyText, damaged(whole), hostile, fc.json()), text => {
      const found = decodeCluster(text)
      if (!found.ok) return
      assertPrintable(
        clusterTable(found.fact, text)
          .map(line => `${line}\n`)
          .join(''),
      )
      assertPrintable(found.fact.document)
    }),
  )
})

t.test('one primary and no trouble is a cluster in order', async t => {
  t.strictSame(troublesOf(read(documentOf(leader, replica, silent)).members), [])
})

t.test('what is wrong is listed', async t => {
  const twin = { ...leader, name: 'db5', hazards: ['another primary'] }
  const warned = { ...replica, name: 'db6', hazards: ['superseded', 1] }
  t.strictSame(troublesOf(read(documentOf(replica)).members), ['no primary'])
  t.strictSame(troublesOf(read(documentOf(leader, superseded, warned)).members), [
    'superseded: db3, db6',
  ])
  t.strictSame(troublesOf(read(documentOf(leader, twin)).members), [
    '2 primaries: db1, db5',
    'another primary is reported by db5',
  ])
})

t.test('the table', async t => {
  t.strictSame(clusterTable(read(documentOf(leader, replica)), 'localhost:8008'), [
    'cluster 7395001122334455667, as reported by localhost:8008',
    '',
    'MEMBER  ROLE     STATE      TIMELINE     LAG    ANSWERED',
    'db1     primary  running           2       -         now',
    'db2     standby  streaming         2  8.0 kB  402 ms ago',
  ])
})

t.test('has the reason of a member without a role, and hazards, within 80 columns', async t => {
  const hazardous = { ...replica, hazards: ['standby without signal file'] }
  const bare = { name: 'db5', role: 'x', state: 'y' }
  const members = [leader, hazardous, superseded, silent, bare]
  t.strictSame(clusterTable(read({ members }), 'localhost:8008'), [
    'cluster, as reported by localhost:8008',
    '',
    'MEMBER    ROLE         STATE      TIMELINE      LAG       ANSWERED',
    'db1       primary      running           2        -            now',
    'db2       standby      streaming         2   8.0 kB     402 ms ago',
    '    warning: standby without signal file',
    'db3       unavailable  running           1  unknown  1 min 1 s ago',
    '    superseded: another server was promoted: db1:8008 is on timeline 2, which',
    '    began at 0/3000148 of timeline 1 of this server',
    'db4:8008  unknown      unknown           -  unknown          never',
    '    ECONNREFUSED',
    'db5       x            y                 -        -          never',
    '',
    'superseded: db3',
  ])
})
