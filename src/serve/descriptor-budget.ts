/**
 * The limit of open files, and how many connections it leaves for each listener: without a free
 * descriptor a check cannot read the files of a server, however healthy that is.
 *
 * Descriptors are reserved for the process, for each cluster and for each listener. Each listener
 * gets a few connections, and the rest is divided in proportion to what the listeners request.
 */
import type { Report } from '../facts/report/event.ts'
import type { Share } from './connection-slots.ts'

/**
 * Standard streams, the event loop, signals, inotify and the spare descriptor of libuv are 20 to
 * 25. The rest is for the configuration file, systemd-notify with its pipes, and the connection
 * that is accepted before another one is closed.
 */
export const baseReserve = 40
/**
 * Open between checks: 3 files of /proc, and 10 of the control group (a freezer file for each
 * level). During a check: the titles of 32 processes, or 4 files of the data directory; the pipes
 * of pg_controldata and of the --on-change command, 8 each; the maintenance file. The connections
 * to four peers, two for each while both families are tried, and a segment of the log.
 */
export const clusterReserve = 65
/** With fewer, a few simultaneous health checks would displace each other. */
export const shareMin = 8

/** The minimum for clusters with these numbers of listeners. */
const descriptorsNeeded = (listeners: readonly number[]): number =>
  listeners.reduce((sum, count) => sum + clusterReserve + count * (1 + shareMin), baseReserve)

export type Member = {
  /** For one listener. */
  readonly share: (wanted: number) => Share
  /** Releases all descriptors of the cluster. */
  readonly leave: () => void
}

export type DescriptorBudget = {
  /** Reserves the descriptors that a cluster needs for its own files. */
  readonly join: () => Member
  /**
   * Sets the limit; null if it is unknown, which changes nothing. Returns an error if it is too low
   * for clusters with these numbers of listeners.
   */
  readonly setLimit: (limit: number | null, listeners: readonly number[]) => LimitError | null
  /** Reports that connections are limited, unless that was the last report. */
  readonly report: () => void
}

export type LimitError = { readonly message: string; readonly hint: string }

type Request = { readonly wanted: number; lowered: () => void }

const minimumOf = ({ wanted }: Request): number => Math.min(wanted, shareMin)
const restOf = (request: Request): number => request.wanted - minimumOf(request)

export const createDescriptorBudget = (report: Report): DescriptorBudget => {
  const members = new Set<Set<Request>>()
  let limit = Infinity
  /** Of what is requested above the minimum. */
  let fraction = 1
  let reported: string | null = null

  const requests = (): readonly Request[] => [...members].flatMap(member => Array.from(member))
  const maxOf = (request: Request): number =>
    minimumOf(request) + Math.floor(restOf(request) * fraction)
  const sum = (figure: (request: Request) => number): number =>
    requests().reduce((total, request) => total + figure(request), 0)
  const reserved = (): number => baseReserve + members.size * clusterReserve + requests().length
  const divide = (): void => {
    const before = fraction
    const left = limit - reserved() - sum(minimumOf)
    fraction = Math.max(0, Math.min(1, left / Math.max(1, sum(restOf))))
    if (fraction < before) for (const request of requests()) request.lowered()
  }

  return {
    join: () => {
      const own = new Set<Request>()
      members.add(own)
      divide()
      return {
        share: wanted => {
          const request: Request = { wanted, lowered: () => {} }
          own.add(request)
          divide()
          return {
            max: () => maxOf(request),
            onLowered: listener => {
              request.lowered = listener
            },
          }
        },
        leave: () => {
          members.delete(own)
          divide()
        },
      }
    },
    setLimit: (next, listeners) => {
      limit = next ?? limit
      divide()
      const needed = descriptorsNeeded(listeners)
      return next === null || next >= needed ? null : tooLow(next, needed)
    },
    report: () => {
      const wanted = sum(request => request.wanted)
      const connections = sum(maxOf)
      const figures = { limit, reserved: reserved(), requested: wanted, connections }
      const text = connections < wanted ? JSON.stringify(figures) : null
      if (text !== null && text !== reported) {
        report({ kind: 'connection limits lowered', ...figures })
      }
      reported = text
    },
  }
}

const tooLow = (limit: number, needed: number): LimitError => ({
  message: `the limit of open files is ${limit}, but at least ${needed} are needed`,
  hint: 'raise it with LimitNOFILE= in the unit, or with ulimit -n in a shell',
})
