import { once } from 'node:events'
import { isIPv6, type LookupFunction, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import t, { type Test } from 'tap'
import {
  ask,
  queryExitCode,
  queryLine,
  queryLines,
  querySummary,
  type Unavailability,
  type ProbeAnswer,
} from '../../../src/cli/commands/query.ts'
import { wireWords } from '../../../src/serve/role/reply.ts'
import { createManualTimers } from '../../harness/manual-timers.ts'
import { listenAsStranger } from '../../harness/tcp-client.ts'

/** Asks a stranger that does as told with each connection, with the time in our hands. */
const setup = async (t: Test, behave: (socket: Socket) => void) => {
  const time = createManualTimers()
  const clock = { after: time.timers.after }
  const sockets = new Set<Socket>()
  const { server, port } = await listenAsStranger(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    behave(socket)
  })
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  const target = { host: '127.0.0.1', port }
  return { time, clock, server, target, asking: ask(target, { timeoutMs: 3000, clock }) }
}

const sayings: readonly (readonly [string, object])[] = [
  [wireWords.primary, { kind: 'primary' }],
  [`${wireWords.primary}\n`, { kind: 'primary' }],
  [wireWords.standby, { kind: 'standby' }],
  [`${wireWords.standby}\n`, { kind: 'standby' }],
  [wireWords.unavailable, { because: { kind: 'replied unavailable' } }],
  [`${wireWords.unavailable}\n`, { because: { kind: 'replied unavailable' } }],
  ['', { because: { kind: 'closed without an answer' } }],
  ['\n', { because: { kind: 'unexpected answer', found: '.' } }],
  [`${wireWords.primary}\n\n`, { because: { kind: 'unexpected answer' } }],
  [` ${wireWords.primary}`, { because: { kind: 'unexpected answer' } }],
  [wireWords.primary.toLowerCase(), { because: { kind: 'unexpected answer' } }],
  [wireWords.primary.slice(0, 5), { because: { kind: 'unexpected answer' } }],
  [wireWords.primary + wireWords.standby, { because: { kind: 'unexpected answer' } }],
  ['\u001b[31m\u00e9', { because: { kind: 'unexpected answer', found: '.[31m.' } }],
  [
    'HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n',
    {
      because: { kind: 'unexpected answer', found: 'HTTP/1.1 400 Bad Request..Connection: cl...' },
    },
  ],
]

for (const [said, expected] of sayings) {
  t.test(`only exact words count: ${JSON.stringify(said)}`, async t => {
    const { asking, target, time } = await setup(t, socket => socket.end(said, 'latin1'))
    const answer = await asking
    t.match(answer, { target, ...expected })
    t.equal(answer.kind, 'because' in expected ? 'unavailable' : answer.kind)
    t.equal(time.pending(), 0, 'the time limit is off')
  })
}

t.test('a word that arrives in pieces is read to its end', async t => {
  const word = wireWords.standby
  const { asking } = await setup(t, socket => {
    socket.write(word.slice(0, 3), () => socket.end(word.slice(3)))
  })
  t.match(await asking, { kind: 'standby' })
})

t.test('a server that never stops sending is cut off', async t => {
  const { asking, time } = await setup(t, socket => {
    socket.write('x'.repeat(100_000))
  })
  t.match(await asking, {
    kind: 'unavailable',
    because: { kind: 'unexpected answer', found: `${'x'.repeat(40)}...` },
  })
  t.equal(time.pending(), 0)
})

t.test('a reset without a byte is a connection closed without an answer', async t => {
  const { asking } = await setup(t, socket => socket.resetAndDestroy())
  t.match(await asking, { because: { kind: 'closed without an answer' } })
})

const noop = (): void => undefined

t.test('a server that sends nothing is given up after the time limit', async t => {
  let hungUp = noop
  const gone = new Promise<void>(resolve => {
    hungUp = resolve
  })
  const { asking, server, time } = await setup(t, socket => {
    socket.resume().on('close', hungUp)
  })
  await once(server, 'connection')
  time.advance(3000)
  await gone
  t.match(await asking, {
    kind: 'unavailable',
    because: { kind: 'timed out', afterMs: 3000, found: '' },
  })
})

t.test('a server that answers but does not close is given up too, and quoted', async t => {
  let written = noop
  const said = new Promise<void>(resolve => {
    written = resolve
  })
  const { asking, time } = await setup(t, socket => {
    socket.write(wireWords.primary, written)
  })
  await said
  // On loopback what is written can be read at once; it takes the reader a turn of the event
  // loop to learn that it is connected, and one to read.
  for (let turn = 0; turn < 4; turn += 1) await setImmediate()
  time.advance(3000)
  t.match(await asking, {
    kind: 'unavailable',
    because: { kind: 'timed out', afterMs: 3000, found: wireWords.primary },
  })
})

t.test('a closed port is a refused connection, by address and by name', async t => {
  const { server, port } = await listenAsStranger()
  server.close()
  for (const host of ['127.0.0.1', '::1', 'localhost']) {
    t.match(
      await ask({ host, port }, { timeoutMs: 3000 }),
      { kind: 'unavailable', because: { kind: 'refused' } },
      host,
    )
  }
})

t.test('an unknown name is not resolved', async t => {
  for (const code of ['ENOTFOUND', 'EAI_AGAIN']) {
    const lookup: LookupFunction = (_name, _options, done) => {
      process.nextTick(() => done(Object.assign(new Error('no'), { code }), []))
    }
    t.match(await ask({ host: 'db9', port: 5400 }, { timeoutMs: 3000, lookup }), {
      because: { kind: 'cannot resolve' },
    })
  }
})

/**
 * Of many hosts at once, so that the kernel refuses to connect there, whatever networks there are.
 * (A link-local address without its link is completed by Node from version 22 on.)
 */
const [multicast, otherMulticast] = ['ff0e::1', 'ff0e::2']

/** The addresses of a name: one that works on no host, and loopback. */
const lookupOf =
  (addresses: readonly string[]): LookupFunction =>
  (_name, _options, done) => {
    const found = addresses.map(address => ({ address, family: isIPv6(address) ? 6 : 4 }))
    process.nextTick(() => done(null, found))
  }

t.test('of a name with several addresses, one that refuses decides', async t => {
  const { server, port } = await listenAsStranger()
  server.close()
  const where = { host: 'db1', port }
  const refusing = lookupOf([multicast, '127.0.0.1'])
  t.match(await ask(where, { timeoutMs: 3000, lookup: refusing }), { because: { kind: 'refused' } })
  const dead = lookupOf([multicast, otherMulticast])
  t.match(await ask(where, { timeoutMs: 3000, lookup: dead }), {
    because: { kind: 'cannot connect', code: 'ENETUNREACH, ENETUNREACH' },
  })
})

t.test('of a name with several addresses, the first that listens answers', async t => {
  const { server, port } = await listenAsStranger(socket => socket.end(wireWords.standby))
  t.teardown(() => server.close())
  const lookup = lookupOf(['::1', '127.0.0.1'])
  t.match(await ask({ host: 'db1', port }, { timeoutMs: 3000, lookup }), { kind: 'standby' })
})

t.test('a place that cannot be reached is reported with the code', async t => {
  t.match(await ask({ host: multicast, port: 5400 }, { timeoutMs: 3000 }), {
    because: { kind: 'cannot connect', code: 'ENETUNREACH' },
  })
})

const answerOf = (host: string, heard: 'primary' | 'standby' | Unavailability): ProbeAnswer => {
  const asked = { target: { host, port: 5400 } }
  return typeof heard === 'string'
    ? { ...asked, kind: heard }
    : { ...asked, kind: 'unavailable', because: heard }
}

t.test('a line has the target and the role, or the reason why there is no role', t => {
  const expected: readonly (readonly [string, 'primary' | 'standby' | Unavailability])[] = [
    ['db1:5400   primary', 'primary'],
    ['db1:5400   standby', 'standby'],
    ['db1:5400   unavailable   connection refused', { kind: 'refused' }],
    ['db1:5400   unavailable   could not resolve db1', { kind: 'cannot resolve' }],
    [
      'db1:5400   unavailable   could not connect (EHOSTUNREACH)',
      { kind: 'cannot connect', code: 'EHOSTUNREACH' },
    ],
    ['db1:5400   unavailable   closed without an answer', { kind: 'closed without an answer' }],
    [`db1:5400   unavailable   answered ${wireWords.unavailable}`, { kind: 'replied unavailable' }],
    [
      'db1:5400   unavailable   unexpected answer "SSH-2.0"',
      { kind: 'unexpected answer', found: 'SSH-2.0' },
    ],
    [
      'db1:5400   unavailable   no answer within 3000 ms',
      { kind: 'timed out', afterMs: 3000, found: '' },
    ],
    [
      'db1:5400   unavailable   incomplete answer after 3000 ms: "SSH-2.0"',
      { kind: 'timed out', afterMs: 3000, found: 'SSH-2.0' },
    ],
  ]
  for (const [line, heard] of expected) t.equal(queryLine(answerOf('db1', heard)), line)
  t.end()
})

t.test('one target: one line, and the exit code is its role', t => {
  const codes = [
    ['primary', 0],
    ['standby', 1],
    [{ kind: 'refused' }, 2],
  ] as const
  for (const [heard, code] of codes) {
    const answers = [answerOf('db1', heard)]
    t.equal(queryExitCode(answers), code)
    t.strictSame(
      queryLines(answers),
      answers.map(answer => queryLine(answer)),
    )
  }
  t.end()
})

t.test('several targets: aligned, and well when exactly one is primary', t => {
  const answers = [
    answerOf('db1.example', 'standby'),
    answerOf('db2', 'primary'),
    answerOf('::1', { kind: 'refused' }),
  ]
  t.strictSame(queryLines(answers), [
    'db1.example:5400   standby',
    'db2:5400           primary',
    '[::1]:5400         unavailable   connection refused',
  ])
  t.equal(querySummary(answers), null)
  t.equal(queryExitCode(answers), 0)
  t.end()
})

t.test('no primary, or several, is reported in a last line', t => {
  const standby = answerOf('db4', 'standby')
  const primaries = ['db1', 'db2', 'db3'].map(host => answerOf(host, 'primary'))
  const two = [...primaries.slice(0, 2), standby]
  const none = [standby, standby, answerOf('db5', { kind: 'refused' })]
  t.equal(querySummary(none), 'no primary among 3')
  t.equal(querySummary(two), '2 primaries: db1:5400 and db2:5400')
  t.equal(querySummary(primaries), '3 primaries: db1:5400, db2:5400 and db3:5400')
  for (const answers of [none, two, primaries]) {
    t.equal(queryExitCode(answers), 1)
    t.equal(queryLines(answers).at(-1), querySummary(answers))
  }
  t.end()
})
