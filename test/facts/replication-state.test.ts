import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Evidence } from '../../src/facts/evidence.ts'
import { replicationState } from '../../src/facts/replication-state.ts'
import { printLsn } from '../../src/facts/units.ts'
import { child, children, primaryEvidence, standbyEvidence } from '../harness/evidence.ts'
import { repositoryRoot } from '../harness/repository.ts'

const stateOf = (walreceiver: string | null) =>
  replicationState(
    standbyEvidence({
      children: children({ walreceiver: walreceiver === null ? null : child(walreceiver, 4715) }),
    }),
  )

t.test('a WAL receiver that streams says up to where', async t => {
  t.strictSame(replicationState(standbyEvidence()), { kind: 'streaming', received: 0x3000148n })
  t.strictSame(stateOf('main: walreceiver   streaming 16/B374D848'), {
    kind: 'streaming',
    received: 0x16_b374_d848n,
  })
})

t.test('the titles of all versions are understood', async t => {
  const folder = join(repositoryRoot(), 'fixtures/proc')
  const files = readdirSync(folder).filter(name => name.endsWith('-titles.txt'))
  t.equal(files.length, 9)
  for (const file of files) {
    const text = readFileSync(join(folder, file), 'utf8')
    const [, title = '', position] =
      /^standby\tpostgres: (wal ?receiver\b.* streaming (\S+))/m.exec(text) ?? []
    const state = stateOf(title)
    t.equal(state.kind === 'streaming' && printLsn(state.received), position, file)
  }
})

t.test('one that waits, starts again or is not there does not stream', async t => {
  const notStreaming = { kind: 'not streaming' }
  t.strictSame(stateOf('walreceiver idle'), notStreaming)
  t.strictSame(stateOf('walreceiver restarting at 0/3000000'), notStreaming)
  t.strictSame(stateOf(null), notStreaming)
  t.strictSame(replicationState(primaryEvidence()), notStreaming)
})

t.test('where no title tells, nothing is made up', async t => {
  const unknown = { kind: 'unknown' }
  const unseen: Evidence['children'][] = [{ kind: 'invisible' }, { kind: 'not looked for' }]
  for (const sighting of unseen) {
    t.strictSame(replicationState(standbyEvidence({ children: sighting })), unknown)
  }
  const silent = ['walreceiver', 'wal receiver process', 'walreceiver streaming', '']
  const odd = ['walreceiver streaming 0/xyz', 'walreceiver streaming 0/3000148 x', 'idle streaming']
  for (const title of [...silent, ...odd]) t.strictSame(stateOf(title), unknown, title)
})
