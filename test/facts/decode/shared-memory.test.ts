import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import { decodeLockFile, type LockFile } from '../../../src/facts/decode/lock-file.ts'
import { createdSharedMemory } from '../../../src/facts/decode/shared-memory.ts'
import type { Pid } from '../../../src/facts/units.ts'
import { anyText, damaged } from '../../harness/foreign-text.ts'

const times = '1795904350 1795904350 1795904350                  4096                     0'
/** /proc/sysvipc/shm of Linux 6.18 with three servers, the last one of which has crashed. */
const table = [
  '       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid',
  '   2228244     196624   600                    56  5645  5671      7  1001  1001  1001  1001',
  '   2236097     196626   600                    56  5675  5675      6 65534 65534 65534 65534',
  '   2146497     163886   600                    56  4388  4388      0  1001  1001  1001  1001',
]
  .map((line, index) => {
    return `${line} ${index === 0 ? '     atime      dtime      ctime  rss  swap' : times}\n`
  })
  .join('')
const owner = 65_534

type Named = Pick<LockFile, 'pid' | 'sharedMemory'>
/** What the lock file of the server in the middle said. */
const lockFile = (changes: Partial<Named> = {}): Named => ({
  pid: 5675 as Pid,
  sharedMemory: { key: 2_236_097, id: 196_626 },
  ...changes,
})

t.test('the process that created the segment of the lock file is found', async t => {
  t.equal(createdSharedMemory(table, lockFile(), owner), true)
  const first = lockFile({ pid: 5645 as Pid, sharedMemory: { key: 2_228_244, id: 196_624 } })
  t.equal(createdSharedMemory(table, first, 1001), true)
})

t.test('everything has to fit', async t => {
  const others: Readonly<Record<string, Named>> = {
    pid: lockFile({ pid: 5645 as Pid }),
    key: lockFile({ sharedMemory: { key: 2_228_244, id: 196_626 } }),
    id: lockFile({ sharedMemory: { key: 2_236_097, id: 196_624 } }),
    'no line 7 yet': lockFile({ sharedMemory: null }),
  }
  for (const [what, other] of Object.entries(others))
    t.equal(createdSharedMemory(table, other, owner), false, what)
  t.equal(createdSharedMemory(table, lockFile(), 1001), false, 'made by another user')
})

t.test('a segment given to another user still has its creator', async t => {
  const given = table.replace('6 65534 65534 65534', '6  1001  1001 65534')
  t.equal(createdSharedMemory(given, lockFile(), owner), true)
  const taken = table.replace('65534 65534 65534 65534', '65534 65534  1001  1001')
  t.equal(createdSharedMemory(taken, lockFile(), owner), false)
})

t.test('a segment that no process uses any more is left over from a crash', async t => {
  const crashed = lockFile({ pid: 4388 as Pid, sharedMemory: { key: 2_146_497, id: 163_886 } })
  t.equal(createdSharedMemory(table, crashed, 1001), false)
  const used = table.replace('4388      0', '4388      1')
  t.equal(createdSharedMemory(used, crashed, 1001), true)
})

t.test('a key is signed for the kernel and unsigned for the server', async t => {
  // The key is the inode of the data directory, cut to 32 bits.
  const inode = 0x1_9abc_def0
  const key = inode | 0
  const printed = BigInt.asUintN(64, BigInt(key))
  const decoded = decodeLockFile(`5675\n/pgdata\n1\n5432\n\n\n${printed}    196626\nready   \n`)
  assert(decoded.ok)
  const negative = table.replace('   2236097', `${key}`)
  t.match(negative, /^-1698898192 /m)
  t.equal(createdSharedMemory(negative, decoded.fact, owner), true)
})

t.test('without a table no process is known to have created anything', async t => {
  for (const text of ['', '\n', table.split('\n', 1).join(''), 'nonsense', '0 0 0 0 0 0 0 0 0 0'])
    t.equal(createdSharedMemory(text, lockFile(), owner), false, text)
  const nothing = lockFile({ sharedMemory: { key: 0, id: 0 } })
  t.equal(createdSharedMemory('\n\n', nothing, 0), false)
})

t.test('no text makes it throw', async t => {
  const property = fc.property(fc.oneof(anyText, damaged(table)), text => {
    return typeof createdSharedMemory(text, lockFile(), owner) === 'boolean'
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})
