/**
 * Everything worth a line in the log. An event is a change; what stays the same is silent and can
 * be asked for with `status`.
 */
import type { Hazard } from './hazards.ts'
import type { Verdict } from './verdict.ts'
import type { Pid, TimelineId, UnixMs } from './units.ts'

/**
 * Of the verdict: another answer, another row that decided, or another postmaster. `from` is null
 * for the first verdict. `postmaster` and `timeline` are null when unknown.
 */
export type Change = {
  readonly at: UnixMs
  readonly from: Verdict | null
  readonly to: Verdict
  readonly postmaster: Pid | null
  readonly timeline: TimelineId | null
}

export type Event =
  | {
      readonly kind: 'started'
      readonly version: string
      readonly directory: string
      readonly pid: number
    }
  | { readonly kind: 'privileges dropped'; readonly user: number; readonly group: number }
  | ({ readonly kind: 'verdict changed' } & Omit<Change, 'at'>)
  /** One of the past, told again because somebody asked. */
  | ({ readonly kind: 'change recorded' } & Change)
  /** By a signal; what comes of it is told by the verdict. */
  | { readonly kind: 'maintenance toggled'; readonly on: boolean }
  | { readonly kind: 'hazard began'; readonly hazard: Hazard }
  | { readonly kind: 'hazard ended'; readonly hazard: Hazard }
  /** File events can't be relied on; files are polled every `pollMs` meanwhile. */
  | { readonly kind: 'watching degraded'; readonly because: string; readonly pollMs: number }
  | { readonly kind: 'watching restored' }
  /** The port can be had: at the start, and again after it was taken. */
  | { readonly kind: 'listening'; readonly address: string; readonly port: number }
  /** Sockets that systemd opened are answered on; without a role to tell they can't be closed. */
  | { readonly kind: 'sockets passed'; readonly count: number; readonly closesInstead: boolean }
  /** systemd could not be told how we are; `awaited`: nor that we are ready, for the first time. */
  | { readonly kind: 'notify failed'; readonly because: string; readonly awaited: boolean }
  /** Another program took the port while ours was closed; tried again until it is free. */
  | { readonly kind: 'port blocked'; readonly because: string }
  /** A connect was lost to a limit, ours or the system's; said once a minute at most. */
  | { readonly kind: 'connects lost'; readonly port: number; readonly because: string }
  /** A line of what the command said that is run on a change. */
  | { readonly kind: 'command said'; readonly line: string }
  | { readonly kind: 'command failed'; readonly because: string }
  /** Somebody asked who may not; said once a minute at most, with the number of all so far. */
  | {
      readonly kind: 'connects refused'
      readonly port: number
      readonly from: string | null
      readonly refused: number
    }
  /** The configuration was read again; how many clusters it started, stopped and so on. */
  | {
      readonly kind: 'reloaded'
      readonly started: number
      readonly changed: number
      readonly stopped: number
      readonly unchanged: number
    }
  /** It is as it was; once for each mistake found in the file. */
  | { readonly kind: 'reload refused'; readonly because: string; readonly hint: string }
  /** SIGHUP, but there is no configuration file. */
  | { readonly kind: 'reload needless' }
  /** One cluster can't be served as the configuration wants it now. */
  | {
      readonly kind: 'cluster failed'
      readonly because: string
      readonly hint: string
      /** As it was before, or not at all. */
      readonly served: 'as before' | 'no more'
    }
  | { readonly kind: 'stopping'; readonly signal: string }
  | { readonly kind: 'stopped' }

export type Report = (event: Event) => void
