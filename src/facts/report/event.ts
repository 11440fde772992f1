/**
 * Everything that is logged. An event is a change; the current state is shown by `status`.
 */
import type { Hazard } from '../decide/hazards.ts'
import type { Answer, Verdict } from '../decide/verdict.ts'
import type { Pid, TimelineId, UnixMs } from '../units.ts'

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

/** What is answered on a port. */
export type PortPurpose = 'role' | 'http' | 'http-health' | 'agent'

export type OpenPort = {
  readonly address: string
  readonly port: number
  readonly purpose: PortPurpose
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
  /** An earlier change, logged again on request. */
  | ({ readonly kind: 'change recorded' } & Change)
  /** Others than root and us can make the maintenance file. */
  | { readonly kind: 'maintenance open'; readonly path: string; readonly because: string }
  /** By a signal; the verdict follows. */
  | { readonly kind: 'maintenance toggled'; readonly on: boolean }
  | { readonly kind: 'hazard began'; readonly hazard: Hazard }
  | { readonly kind: 'hazard ended'; readonly hazard: Hazard }
  /** File events can't be relied on; files are polled every `pollMs` meanwhile. */
  | { readonly kind: 'watching degraded'; readonly because: string; readonly pollMs: number }
  | { readonly kind: 'watching restored' }
  /** The port can be had: at the start, and again after it was taken. */
  | ({ readonly kind: 'listening' } & OpenPort)
  /** Sockets that systemd opened are used; they can't be closed while there is no role. */
  | { readonly kind: 'sockets passed'; readonly count: number; readonly closesInstead: boolean }
  /** systemd could not be notified; `awaited`: nor, for the first time, of readiness. */
  | { readonly kind: 'notify failed'; readonly because: string; readonly awaited: boolean }
  /** Another program took the port while ours was closed; tried again until it is free. */
  | { readonly kind: 'port blocked'; readonly because: string }
  /** A connection was lost to a limit of the system; reported once a minute at most. */
  | { readonly kind: 'connections lost'; readonly port: number; readonly because: string }
  /**
   * The oldest connection of the address that has most of them is closed for each new one;
   * reported once a minute at most. `from` is empty for a client that has gone already.
   */
  | {
      readonly kind: 'connection limit reached'
      readonly port: number
      readonly connectionsMax: number
      readonly from: string
      readonly held: number
    }
  /** The limit of descriptors leaves fewer connections than the ports would have. */
  | {
      readonly kind: 'connection limits lowered'
      readonly limit: number
      readonly reserved: number
      readonly requested: number
      readonly connections: number
    }
  /** A line of output of the command that is run on a change. */
  | { readonly kind: 'command output'; readonly line: string }
  | { readonly kind: 'command failed'; readonly because: string }
  /** A client is not permitted; reported once a minute at most, with the number so far. */
  | {
      readonly kind: 'connections refused'
      readonly port: number
      readonly from: string | null
      readonly refused: number
    }
  /** A TLS handshake failed; reported once a minute at most. */
  | {
      readonly kind: 'handshake failed'
      readonly port: number
      readonly from: string | null
      readonly because: string
    }
  /** TLS is spoken with this certificate from now on. */
  | { readonly kind: 'certificate taken'; readonly file: string; readonly expiresAt: UnixMs }
  /** It expires soon, or is not secure. */
  | { readonly kind: 'certificate doubtful'; readonly because: string; readonly hint: string }
  /** A new one is not usable; the old one stays in use. */
  | { readonly kind: 'certificate refused'; readonly because: string; readonly hint: string }
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
      readonly served: 'as before' | 'no longer'
    }
  /** A peer has another role or timeline than before, or is heard for the first time. */
  | {
      readonly kind: 'peer changed'
      readonly peer: string
      readonly role: Answer
      readonly timeline: TimelineId | null
    }
  /** A peer did not answer, or not as it must; reported again for another reason. */
  | { readonly kind: 'peer check failed'; readonly peer: string; readonly because: string }
  /** A peer that is configured is this daemon. */
  | { readonly kind: 'peer is this server'; readonly peer: string }
  | { readonly kind: 'stopping'; readonly signal: string }
  | { readonly kind: 'stopped' }

export type Report = (event: Event) => void
