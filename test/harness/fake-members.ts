/**
 * Three servers with their daemons, as haproxy sees them: ports that answer what the test says. A
 * client is told the name of the server that it came to, and then hears an echo.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Test } from 'tap'
import { wireWords } from '../../src/serve/role/reply.ts'
import { freePort } from './free-port.ts'
import { examplePorts, replacePorts } from './haproxy.ts'
import { listenAsStranger } from './tcp-client.ts'
import { until } from './until.ts'

/** `nothing`: closes without an answer; `silence`: accepts, and lets the check wait. */
export type FakeAnswer = keyof typeof wireWords | 'nothing' | 'silence'

export type FakeMember = {
  readonly name: string
  readonly port: number
  readonly probe: number
  /** Of the daemon, from now on, also to checks that wait. */
  readonly answers: (answer: FakeAnswer) => void
  /** Clients that have come to the server so far. */
  readonly visitors: () => number
}

export type FakeMembers = {
  readonly s1: FakeMember
  readonly s2: FakeMember
  readonly s3: FakeMember
  /** The text with their ports, and with two of its own for clients. */
  readonly configure: (text: string) => Promise<FakeRoutes>
}

export type FakeRoutes = { readonly config: string; readonly write: number; readonly read: number }

/** All sockets are destroyed when the test ends, and nothing listens any more. */
const listenFor = async (t: Test, onConnection: (socket: Socket) => void): Promise<number> => {
  const sockets = new Set<Socket>()
  const { server, port } = await listenAsStranger(
    socket => {
      sockets.add(socket)
      socket.on('error', () => undefined).once('close', () => sockets.delete(socket))
      onConnection(socket)
    },
    await freePort(),
  )
  t.teardown(async () => {
    for (const socket of sockets) socket.destroy()
    const closed = once(server, 'close')
    server.close()
    await closed
  })
  return port
}

const startMember = async (t: Test, name: string): Promise<FakeMember> => {
  let answer: FakeAnswer = 'silence'
  let visitors = 0
  const waiting = new Set<Socket>()
  const say = (socket: Socket): void => {
    if (answer === 'silence') waiting.add(socket)
    else socket.end(answer === 'nothing' ? '' : `${wireWords[answer]}\n`)
  }
  const probe = await listenFor(t, say)
  const port = await listenFor(t, socket => {
    visitors += 1
    socket.write(name)
    socket.pipe(socket)
  })
  return {
    name,
    port,
    probe,
    answers: next => {
      answer = next
      const checks = [...waiting]
      waiting.clear()
      for (const check of checks) say(check)
    },
    visitors: () => visitors,
  }
}

/** At first no daemon answers a check. */
export const startFakeMembers = async (t: Test): Promise<FakeMembers> => {
  const [s1, s2, s3] = [
    await startMember(t, 's1'),
    await startMember(t, 's2'),
    await startMember(t, 's3'),
  ] as const
  const ports = [s1, s2, s3].flatMap(({ port, probe }, index): readonly [number, number][] => [
    [examplePorts.servers[index] ?? 0, port],
    [examplePorts.probes[index] ?? 0, probe],
  ])
  const configure = async (text: string): Promise<FakeRoutes> => {
    const [write, read] = [await freePort(), await freePort()]
    const own = [[examplePorts.write, write] as const, [examplePorts.read, read] as const]
    return { config: replacePorts(text, new Map([...ports, ...own])), write, read }
  }
  return { s1, s2, s3, configure }
}

export type FakeSession = {
  /** The name of the server; empty when it was closed instead. */
  readonly server: string
  /** A byte comes back. */
  readonly goesOn: () => Promise<boolean>
  readonly isCut: () => boolean
}

/** A client that stays, until the test ends. */
export const openFakeSession = async (t: Test, port: number): Promise<FakeSession> => {
  const socket = connect({ port, host: '127.0.0.1' })
  t.teardown(() => socket.destroy())
  let [heard, cut] = ['', false]
  socket.on('error', () => undefined)
  socket.on('data', (chunk: Buffer) => {
    heard += chunk.toString()
  })
  for (const event of ['end', 'close']) {
    socket.once(event, () => {
      cut = true
    })
  }
  const hasHeard = async (length: number): Promise<boolean> => {
    await until(() => cut || heard.length >= length, { what: 'a server to answer', everyMs: 1 })
    return !cut
  }
  await hasHeard(1)
  return {
    server: heard,
    goesOn: async () => {
      const wanted = heard.length + 1
      socket.write('.')
      return hasHeard(wanted)
    },
    isCut: () => cut,
  }
}
