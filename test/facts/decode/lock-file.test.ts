import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import {
  decodeLockFile,
  describeLockFileFault,
  type LockFile,
  type LockFileFault,
} from '../../../src/facts/decode/lock-file.ts'
import { anyText, assertOneLine, damaged } from '../../harness/foreign-text.ts'

/** As PostgreSQL 15 left it behind. */
const complete = [
  '4711',
  '/var/lib/postgresql/15/main',
  '1764000000',
  '5432',
  '/var/run/postgresql',
  'localhost',
  '  1048577         3',
  'ready   ',
]
const textOf = (lines: readonly string[]): string => lines.map(line => `${line}\n`).join('')
const withLine = (number: number, line: string): readonly string[] =>
  complete.with(number - 1, line)

const factOf = (text: string): LockFile => {
  const decoded = decodeLockFile(text)
  assert(decoded.ok, JSON.stringify(decoded))
  return decoded.fact
}
const sharedMemoryOn = (line: string): LockFile['sharedMemory'] =>
  factOf(textOf(withLine(7, line))).sharedMemory
const faultOf = (text: string): LockFileFault => {
  const decoded = decodeLockFile(text)
  assert(!decoded.ok, JSON.stringify(decoded))
  return decoded.fault
}

t.test('a complete lock file is read line by line', t => {
  t.strictSame(factOf(textOf(complete)), {
    pid: 4711,
    singleUser: false,
    lineCount: 8,
    dataDirectory: '/var/lib/postgresql/15/main',
    startTime: 1_764_000_000,
    port: 5432,
    socketDirectory: '/var/run/postgresql',
    listenAddress: 'localhost',
    sharedMemory: { key: 1_048_577, id: 3 },
    status: 'ready',
  })
  t.end()
})

t.test('an incomplete lock file has null for the missing lines', t => {
  const values = Object.entries(factOf(textOf(complete))).slice(3)
  for (let lineCount = 1; lineCount <= 8; lineCount += 1) {
    const expected = values.map(([name, value], index) => [
      name,
      index + 2 <= lineCount ? value : null,
    ])
    t.strictSame(
      factOf(textOf(complete.slice(0, lineCount))),
      { pid: 4711, singleUser: false, lineCount, ...Object.fromEntries(expected) },
      `${lineCount} lines`,
    )
  }
  t.end()
})

t.test('the last line counts also without its end', t => {
  for (let lineCount = 1; lineCount <= 8; lineCount += 1) {
    const text = textOf(complete.slice(0, lineCount))
    t.strictSame(factOf(text.slice(0, -1)), factOf(text), `${lineCount} lines`)
  }
  t.end()
})

t.test('between creation and the first write the lock file is empty', t => {
  t.strictSame(faultOf(''), { kind: 'empty' })
  t.end()
})

t.test('a negative pid is that of a single-user backend', t => {
  t.match(factOf(textOf([...withLine(1, '-4711').slice(0, 4), '', '', complete[6] ?? ''])), {
    pid: 4711,
    singleUser: true,
    lineCount: 7,
    socketDirectory: '',
    listenAddress: '',
    status: null,
  })
  t.end()
})

t.test('lines that wait for an earlier one to be filled in are empty', t => {
  t.match(factOf(textOf([...complete.slice(0, 3), '', '', '', '', 'starting'])), {
    port: null,
    socketDirectory: '',
    listenAddress: '',
    sharedMemory: null,
    status: 'starting',
  })
  t.end()
})

t.test('each status word is read, blank padded or not', t => {
  for (const word of ['starting', 'stopping', 'ready', 'standby']) {
    t.equal(factOf(textOf(withLine(8, word.padEnd(8)))).status, word)
    t.equal(factOf(textOf(withLine(8, word))).status, word)
  }
  t.end()
})

t.test('a status caught while one word is written over another is no status', t => {
  const words = ['starting', 'stopping', 'ready   ', 'standby ']
  for (const [before, after] of words.flatMap(one => words.map(other => [one, other] as const))) {
    for (let at = 1; at < 8; at += 1) {
      const mixed = after.slice(0, at) + before.slice(at)
      if (words.includes(mixed)) continue
      t.strictSame(faultOf(textOf(withLine(8, mixed))), { kind: 'mixed status', found: mixed })
    }
  }
  for (const found of ['', ' ready', 'READY', 'ready\t', 'read', 'ready   stopping']) {
    t.strictSame(faultOf(textOf(withLine(8, found))), { kind: 'mixed status', found })
  }
  t.end()
})

t.test('the key of shared memory is an inode that may be negative', t => {
  t.strictSame(sharedMemoryOn('  5432001    131072'), { key: 5_432_001, id: 131_072 })
  t.strictSame(sharedMemoryOn('18446744071562067968 0'), { key: 0x8000_0000, id: 0 })
  t.end()
})

t.test('what does not belong on its line is a bad line', t => {
  const cases: readonly (readonly [number, readonly string[]])[] = [
    [
      1,
      ['', '0', '-0', '-', '+1', ' 1', '1 ', '01', '1.5', '0x10', 'pid', '2147483648', '1\r', '\0'],
    ],
    [2, ['', 'relative/path', ' /data']],
    [3, ['', '-1', '1.5', 'now', '1234567890123456']],
    [4, ['-5432', '65536', '123456', 'ssh']],
    [7, ['1', '1 2 3', '-1 2', 'key id', ' ', '123456789012345678901 1']],
  ]
  for (const [line, founds] of cases) {
    for (const found of founds) {
      const { length } = found
      t.strictSame(faultOf(textOf(withLine(line, found))), { kind: 'bad line', line, length })
    }
  }
  t.end()
})

t.test('the largest process id and port are still plausible', t => {
  t.equal(factOf('2147483647\n').pid, 2_147_483_647)
  t.equal(factOf(textOf(withLine(4, '65535'))).port, 65_535)
  t.end()
})

t.test('a ninth line is one too many', t => {
  t.strictSame(faultOf(textOf([...complete, 'more'])), { kind: 'bad line', line: 9, length: 4 })
  t.strictSame(faultOf(textOf([...complete, ''])), { kind: 'bad line', line: 9, length: 0 })
  t.end()
})

t.test('the text of another file is not kept, and of a long status only the beginning', t => {
  const found = 'x'.repeat(40)
  const secret = faultOf('db.example.com:5432:*:admin:secret\n')
  t.strictSame(secret, { kind: 'bad line', line: 1, length: 34 })
  t.strictSame(faultOf(textOf(withLine(8, 'x'.repeat(41)))), { kind: 'mixed status', found })
  t.end()
})

t.test('whatever a server writes is read back, as far as it has come', t => {
  const lineText = fc.string({ unit: 'binary' }).map(text => text.replaceAll('\n', ' '))
  const written = fc.record({
    pid: fc.integer({ min: 1, max: 0x7fff_ffff }),
    singleUser: fc.boolean(),
    dataDirectory: lineText.map(path => `/${path}`),
    startTime: fc.nat(0x7fff_ffff),
    port: fc.nat(65_535),
    socketDirectory: lineText,
    listenAddress: lineText,
    sharedMemory: fc.tuple(fc.nat(0xffff_ffff), fc.nat(0xffff_ffff)),
    status: fc.constantFrom('starting', 'stopping', 'ready', 'standby'),
  })
  const property = fc.property(written, fc.integer({ min: 1, max: 8 }), (fields, lineCount) => {
    const { pid, singleUser, sharedMemory, ...others } = fields
    const { dataDirectory, startTime, port, socketDirectory, listenAddress, status } = others
    const [key, id] = sharedMemory
    const lines = [
      `${singleUser ? -pid : pid}`,
      dataDirectory,
      `${startTime}`,
      `${port}`,
      socketDirectory,
      listenAddress,
      `${`${key}`.padStart(9)} ${`${id}`.padStart(9)}`,
      status.padEnd(8),
    ]
    const names = Object.keys(fields).filter(name => name !== 'singleUser')
    const missing = names.slice(lineCount).map(name => [name, null])
    assert.deepStrictEqual(factOf(textOf(lines.slice(0, lineCount))), {
      ...fields,
      sharedMemory: { key, id },
      lineCount,
      ...Object.fromEntries(missing),
    })
  })
  t.doesNotThrow(() => fc.assert(property))
  t.end()
})

t.test('no lock file cut short at any byte shows a status that is not whole', t => {
  const wrong: string[] = []
  for (const status of ['starting', 'stopping', 'ready   ', 'standby ']) {
    const text = textOf(withLine(8, status))
    for (let length = 0; length < text.length; length += 1) {
      const decoded = decodeLockFile(text.slice(0, length))
      const found = decoded.ok ? decoded.fact.status : null
      if (found !== null && found !== status.trimEnd()) wrong.push(text.slice(0, length))
    }
  }
  t.strictSame(wrong, [])
  t.end()
})

t.test('no text makes it throw, and every fault is described in one line', t => {
  const line = fc.oneof(fc.constantFrom(...complete, '', '-1'), anyText)
  const anything = fc.oneof(
    anyText,
    damaged(textOf(complete)),
    fc.array(line, { maxLength: 9 }).map(lines => lines.join('\n')),
  )
  const property = fc.property(anything, text => {
    const decoded = decodeLockFile(text)
    if (!decoded.ok) return assertOneLine(describeLockFileFault(decoded.fault))
    assert(decoded.fact.pid > 0 && decoded.fact.lineCount <= 8)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
  t.end()
})

t.test('a fault is described by what was found and what was expected', t => {
  const cases: readonly (readonly [LockFileFault, string])[] = [
    [{ kind: 'empty' }, 'it is empty'],
    [{ kind: 'bad line', line: 1, length: 3 }, 'line 1 (3 characters) must be a process id'],
    [{ kind: 'bad line', line: 9, length: 0 }, 'it has more than 8 lines'],
    [
      { kind: 'mixed status', found: 'read\x9b2J' },
      'line 8 is "read\\u009b2J", but must be starting, stopping, ready or standby',
    ],
  ]
  for (const [broken, text] of cases) t.equal(describeLockFileFault(broken), text)
  t.end()
})
