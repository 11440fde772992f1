/**
 * Floods of connections as a client that means no good makes them, and the load balancer that asks
 * beside them.
 */
import { execFile } from 'node:child_process'
import { connect } from 'node:net'
import { connect as connectTlsOn } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { compile } from '../bench/tools.ts'
import { serverEnvironment } from './programs.ts'

export type Flood = {
  readonly port: number
  /** Of 127.0.0.0/8; default: 127.0.0.1. */
  readonly source?: string
  /** How many addresses from there on; default: 1. */
  readonly sources?: number
  readonly atOnce: number
  readonly perSecond: number
  readonly holdMs: number
  /** See flood.c. */
  readonly manner: 'read' | 'hold' | 'drip' | 'pile' | 'deaf'
  readonly seconds: number
  readonly request?: string | Uint8Array
}

export type Flooded = {
  readonly opened: number
  readonly connected: number
  readonly failed: number
  readonly ended: number
  /** Open at once. */
  readonly most: number
}

export const buildFlood = (): Promise<string> => compile('test/soak/flood.c')

/** Begins at once; `end` ends it before its time. */
export const startFlood = (
  program: string,
  attack: Flood,
): { readonly ended: Promise<Flooded>; readonly end: () => Promise<Flooded> } => {
  const { port, source = '127.0.0.1', sources = 1, atOnce, perSecond, holdMs } = attack
  const { manner, seconds, request } = attack
  const numbers = [sources, atOnce, perSecond, holdMs].map(String)
  const hex = request === undefined ? [] : [Buffer.from(request).toString('hex')]
  const args = [String(port), source, ...numbers, manner, String(seconds), ...hex]
  const options = { cwd: '/', env: serverEnvironment(), timeout: (seconds + 30) * 1000 }
  const running = promisify(execFile)(program, args, options)
  const ended = running.then(({ stdout }) => JSON.parse(stdout) as Flooded)
  return {
    ended,
    end: () => {
      running.child.kill('SIGTERM')
      return ended
    },
  }
}

export const flood = (program: string, attack: Flood): Promise<Flooded> =>
  startFlood(program, attack).ended

export type Check = {
  readonly port: number
  /** Where it comes from. */
  readonly from: string
  /** Sent at once; nothing where there is none. */
  readonly request?: string
  /** Speaks TLS. */
  readonly tls?: boolean
  /** How long it waits, as the `inter` of HAProxy is by default. */
  readonly limitMs?: number
}

const checkMsMax = 2000

/** All that is said until the end, or what became of it instead. Never rejects. */
export const check = ({
  port,
  from,
  request,
  tls = false,
  limitMs = checkMsMax,
}: Check): Promise<string> =>
  new Promise(resolve => {
    const plain = connect({ port, host: '127.0.0.1', localAddress: from })
    const socket = tls ? connectTlsOn({ socket: plain, rejectUnauthorized: false }) : plain
    plain.on('error', () => undefined)
    let said = ''
    const settle = (word: string): void => {
      clearTimeout(limit)
      socket.destroy()
      plain.destroy()
      resolve(word)
    }
    const limit = setTimeout(() => settle('hung'), limitMs)
    if (request !== undefined) socket.write(request)
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1')
    })
    socket.on('end', () => settle(said))
    socket.on('error', (error: NodeJS.ErrnoException) => settle(String(error.code)))
  })

/** What a check was told each tenth of a second, `count` times; each has its own connection. */
export const checkRegularly = async (
  one: Check,
  count: number,
  everyMs = 100,
): Promise<readonly string[]> => {
  const checks: Promise<string>[] = []
  for (let index = 0; index < count; index += 1) {
    checks.push(check(one))
    await sleep(everyMs)
  }
  return Promise.all(checks)
}
