import t from 'tap'
import { unmetExpectation } from '../../../src/facts/decide/expectation.ts'
import type { LockFile } from '../../../src/facts/decode/lock-file.ts'
import {
  directory,
  lockFile,
  primaryEvidence,
  seen,
  snapshotOf,
  standbyEvidence,
} from '../../harness/evidence.ts'

const listening = (changes: Partial<LockFile>) =>
  snapshotOf(primaryEvidence({ lockFile: seen(lockFile(changes)) }))

t.test('a role is met by itself, and by any', async t => {
  const [primary, standby] = [primaryEvidence(), standbyEvidence()].map(each => snapshotOf(each))
  if (primary === undefined || standby === undefined) throw new Error('no snapshots')
  for (const expected of ['primary', 'any', null] as const) {
    t.equal(unmetExpectation(primary, expected), null)
  }
  t.equal(unmetExpectation(primary, 'standby'), 'primary, expected standby')
  t.equal(unmetExpectation(standby, 'primary'), 'standby, expected primary')
  t.equal(unmetExpectation(standby, 'standby'), null)
})

t.test('an unavailable server is never as expected', async t => {
  const down = snapshotOf(primaryEvidence({ lockFile: { kind: 'absent' } }))
  for (const expected of ['primary', 'standby', 'any', null] as const) {
    t.equal(unmetExpectation(down, expected), 'unavailable')
  }
})

t.test('nor is one that listens on no address', async t => {
  const unmet = 'primary, but it listens on no address, only on its Unix socket'
  const socketOnly = listening({ listenAddress: '' })
  t.equal(unmetExpectation(socketOnly, 'any'), unmet)
  t.equal(unmetExpectation(socketOnly, 'primary'), unmet)
  t.equal(unmetExpectation(socketOnly, 'standby'), 'primary, expected standby')
  t.equal(unmetExpectation(socketOnly, null), null, 'if nobody expects anything')
  const old = { lineCount: 7, listenAddress: '', status: null }
  const before10 = { lockFile: seen(lockFile(old)), directory: directory('9.6') }
  t.equal(unmetExpectation(snapshotOf(primaryEvidence(before10)), 'any'), unmet)
})

t.test('one that listens somewhere is, whatever the address', async t => {
  for (const listenAddress of ['*', 'localhost', '127.0.0.1', '::', null]) {
    t.equal(unmetExpectation(listening({ listenAddress }), 'any'), null, `${listenAddress}`)
  }
})

t.test('while the lock file is being written it is not available yet', async t => {
  const starting = listening({ lineCount: 7, listenAddress: '', status: null })
  t.equal(unmetExpectation(starting, 'any'), 'unavailable')
})
