/** Clients that mean no good, and the checks of a load balancer beside them. */
import { checkRegularly, flood, type Flood } from '../harness/flood.ts'

/** Where they act. */
type Ports = {
  readonly daemon: { readonly port: number }
  readonly http: number
  /** flood.c, compiled. */
  readonly flooder: string
  readonly checks: CheckTally
}

/** Checks beside attacks so far. */
export type CheckTally = { answered: number; lost: number }

type Attack = Omit<Flood, 'seconds' | 'port'> & { readonly on: 'role' | 'http' }

const attackSeconds = 12
const checksEach = 100

const get = (path: string): string => `GET ${path} HTTP/1.0\r\n\r\n`

/** From one address each; those of a flood come after. */
const checkers = ['127.0.0.1', '127.0.0.2']

/** Ten checks a second from an address of their own, and ten from that of the flood. */
export const besides =
  ({ on, ...attack }: Attack) =>
  async ({ daemon, http, flooder, checks }: Ports): Promise<readonly string[]> => {
    const port = on === 'role' ? daemon.port : http
    const [asking, wanted] =
      on === 'role'
        ? ([{}, /^MASTER$/] as const)
        : ([{ request: get('/primary') }, /^HTTP\/1\.1 200 /] as const)
    const flooding = flood(flooder, { ...attack, port, seconds: attackSeconds })
    const told = await Promise.all(
      checkers.map(from => checkRegularly({ port, from, ...asking }, checksEach)),
    )
    const { connected } = await flooding
    const wrong = told.flat().filter(said => !wanted.test(said))
    checks.answered += told.flat().length - wrong.length
    checks.lost += wrong.length
    if (connected < checksEach) return [`only ${connected} connections of the flood`]
    return wrong.length === 0 ? [] : [`${wrong.length} checks during it received ${wrong[0]}`]
  }

const thousandAddresses = { source: '127.1.0.1', sources: 1000 } as const
const held = { on: 'role', atOnce: 8000, perSecond: 2700, holdMs: 2000, manner: 'hold' } as const
const idle = { on: 'http', atOnce: 600, perSecond: 3000, holdMs: 60_000, manner: 'read' } as const
const drips = { on: 'http', atOnce: 600, perSecond: 2000, holdMs: 60_000, manner: 'drip' } as const
const piles = { on: 'http', atOnce: 100, perSecond: 100, holdMs: 2000, manner: 'pile' } as const
const deaf = { on: 'http', atOnce: 700, perSecond: 700, holdMs: 60_000, manner: 'deaf' } as const

export const attacks: readonly { readonly name: string; readonly attack: Attack }[] = [
  { name: '2,700 connections a second, each kept open for 2 s', attack: held },
  {
    name: 'the same from a thousand addresses',
    attack: { ...held, ...thousandAddresses },
  },
  { name: '600 HTTP connections that ask for nothing, opened again', attack: idle },
  { name: 'the same from a thousand addresses', attack: { ...idle, ...thousandAddresses } },
  {
    name: '600 HTTP requests that come in drips',
    attack: { ...drips, request: get('/liveness').slice(0, -1) },
  },
  {
    name: '100 HTTP connections with requests without end',
    attack: { ...piles, request: 'GET / HTTP/1.1\r\n\r\n' },
  },
  {
    name: '700 HTTP connections that read no answer',
    attack: { ...deaf, request: get('/metrics') },
  },
]
