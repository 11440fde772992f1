/** What clients do to a port, what the system runs out of, and what becomes of the server. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { descriptorsOf } from '../bench/accounting.ts'
import { askPort, type Tools } from '../bench/tools.ts'
import type { Cluster } from '../harness/cluster.ts'
import type { Daemon } from '../harness/daemon.ts'
import { runProgram } from '../harness/programs.ts'
import { hearOn } from '../harness/tcp-client.ts'
import { until } from '../harness/until.ts'
import { attacks, besides, type CheckTally } from './attacks.ts'
import type { Regular } from './regular.ts'

type Stage = {
  readonly cluster: Cluster
  readonly daemon: Daemon
  readonly regular: Regular
  readonly tools: Tools
  /** Where it answers HTTP. */
  readonly http: number
  /** flood.c, compiled. */
  readonly flooder: string
  readonly checks: CheckTally
}

type Phase = {
  readonly name: string
  /** Gives back what went wrong, a line each. */
  readonly play: (stage: Stage) => Promise<readonly string[]>
}

const opened = async (daemon: Daemon, count: number): Promise<readonly Socket[]> => {
  const sockets: Socket[] = []
  for (let index = 0; index < count; index += 1) {
    const socket = connect({ port: daemon.port, host: '127.0.0.1', allowHalfOpen: true })
    socket.on('error', () => undefined)
    // Until they are connected, not until they are answered.
    await Promise.race([once(socket, 'connect'), once(socket, 'close')])
    sockets.push(socket)
  }
  return sockets
}

const destroyed = (sockets: readonly Socket[]): void => {
  for (const socket of sockets) socket.destroy()
}

/** The regular client may be connected while they are counted, and may have been before. */
const settledMax = 2
const settles = async ({ daemon }: Stage, before: number): Promise<readonly string[]> => {
  const isBack = (): boolean => descriptorsOf(daemon.pid) <= before + settledMax
  try {
    await until(isBack, { what: 'all connections to be gone', limitMs: 10_000, everyMs: 50 })
    return []
  } catch {
    return [`${descriptorsOf(daemon.pid)} descriptors 10 s later, ${before} before`]
  }
}

/** Acts, and waits until no connection of it is left. */
const leavingNothing =
  (act: (stage: Stage) => Promise<readonly string[]>) =>
  async (stage: Stage): Promise<readonly string[]> => {
    const before = descriptorsOf(stage.daemon.pid)
    const faults = await act(stage)
    return [...faults, ...(await settles(stage, before))]
  }

const floodOf =
  (atOnce: number) =>
  async ({ tools, daemon }: Stage): Promise<readonly string[]> => {
    const { lost, stalled } = await askPort(tools, { port: daemon.port, atOnce, total: 100_000 })
    return lost + stalled === 0 ? [] : [`${lost} connections lost, ${stalled} stalled`]
  }

const megabytes = Buffer.alloc(8 * 1024 * 1024)

/** As the user that both run as: nobody else may set it, not even root in many a container. */
const setDescriptorLimit = async ({ cluster, daemon }: Stage, limit: number): Promise<void> => {
  const args = [`--pid=${daemon.pid}`, `--nofile=${limit}:`]
  await runProgram({ program: 'prlimit', args, cwd: '/', user: cluster.user })
}

/** Enough for all connections that it accepts at once. */
const descriptorLimit = 8192

const becomes = async (
  { daemon, regular }: Stage,
  { word, by }: { readonly word: string; readonly by: () => Promise<unknown> },
): Promise<void> => {
  regular.expect(null)
  await by()
  await daemon.answers(word)
  regular.expect(word)
}

export const phases: readonly Phase[] = [
  { name: '100,000 answers, 64 at once', play: leavingNothing(floodOf(64)) },
  { name: '100,000 answers, 1000 at once', play: leavingNothing(floodOf(1000)) },
  {
    name: '500 clients that never read and never close',
    play: async stage => {
      const before = descriptorsOf(stage.daemon.pid)
      const sockets = await opened(stage.daemon, 500)
      // It has to get rid of them by itself.
      const faults = await settles(stage, before)
      destroyed(sockets)
      return faults
    },
  },
  ...attacks.map(({ name, attack }) => ({ name, play: leavingNothing(besides(attack)) })),
  {
    name: '20 clients that send 8 MiB each',
    play: leavingNothing(async ({ daemon }) => {
      const sockets = await opened(daemon, 20)
      const heard = sockets.map(socket => {
        socket.write(megabytes)
        return hearOn(socket)
      })
      await until(
        () => sockets.every(({ destroyed: gone, readableEnded }) => gone || readableEnded),
        {
          what: 'the senders to be cut off',
        },
      )
      destroyed(sockets)
      await Promise.all(heard)
      return []
    }),
  },
  {
    name: '2,000 clients that reset at once',
    play: leavingNothing(async ({ daemon }) => {
      for (const socket of await opened(daemon, 2000)) socket.resetAndDestroy()
      return []
    }),
  },
  {
    name: '5,000 connections half open',
    play: async stage => {
      const { daemon, regular } = stage
      const before = descriptorsOf(daemon.pid)
      regular.excuse(true)
      await setDescriptorLimit(stage, descriptorLimit)
      const sockets = await opened(daemon, 5000)
      const faults = await settles(stage, before)
      destroyed(sockets)
      await daemon.answers('MASTER')
      regular.excuse(false)
      return faults
    },
  },
  {
    name: 'no descriptors left, and then enough again',
    play: leavingNothing(async stage => {
      const { daemon, regular } = stage
      regular.excuse(true)
      await setDescriptorLimit(stage, descriptorsOf(daemon.pid) + 20)
      const heard = (await opened(daemon, 200)).map(socket => ({ socket, said: hearOn(socket) }))
      await setDescriptorLimit(stage, descriptorLimit)
      for (const { socket } of heard) socket.end()
      const said = await Promise.all(heard.map(each => each.said))
      await daemon.answers('MASTER')
      regular.excuse(false)
      const unanswered = said.filter(({ bytes }) => bytes.length === 0).length
      return unanswered > 0 ? [] : ['every client was answered: the limit was not reached']
    }),
  },
  {
    name: 'stopped, a standby, promoted',
    play: async stage => {
      const { cluster } = stage
      await becomes(stage, { word: 'refused', by: () => cluster.stop() })
      const asStandby = async (): Promise<void> => {
        cluster.requestStandby(null)
        await cluster.start()
      }
      await becomes(stage, { word: 'STANDBY', by: asStandby })
      await becomes(stage, { word: 'MASTER', by: () => cluster.promote('pg_ctl') })
      return []
    },
  },
]
