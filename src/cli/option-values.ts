/** What options come to, once they are understood. */
import type { ControlCheck } from '../facts/evidence.ts'
import type { WantedRole } from '../facts/verdict.ts'
import type { Network } from '../serve/allow-list.ts'
import type { Endpoint } from '../serve/endpoint.ts'
import type { WhenUnavailable } from '../serve/reply.ts'
import type { LogFormat, LogLevel } from './log.ts'
import type { CommandName } from './option-spec.ts'
import type { Target } from './query.ts'
import type { Environment, Flags, GivenOptions } from './settings.ts'

export type LookOptions = {
  /** Absolute. */
  readonly pgdata: string
  readonly controlCheck: ControlCheck
  /** Absolute; null to look for it. */
  readonly pgControldata: string | null
}

/** Of commands that look at a data directory of this machine. */
export type LocalOptions = LookOptions & {
  /** Absolute; null for none. */
  readonly maintenanceFile: string | null
}

export type ServeOptions = LocalOptions & {
  readonly port: number
  /** Empty for every address of the host. */
  readonly bind: readonly string[]
  readonly whenUnavailable: WhenUnavailable
  readonly newline: boolean
  /** For the shell; null to run nothing. */
  readonly onChange: string | null
  /** Where HTTP is answered; empty for nowhere. */
  readonly http: readonly Endpoint[]
  /** Who may ask, on every port; empty for everybody. */
  readonly allow: readonly Network[]
  /** Where to answer HAProxy's agent-check; empty for nowhere. */
  readonly agent: readonly Endpoint[]
  readonly agentUpFor: WantedRole
  readonly intervalMs: number
  readonly leaseMs: number
}

export type LogOptions = { readonly logLevel: LogLevel; readonly logFormat: LogFormat }

/** One data directory and how it is answered for. */
export type Cluster = {
  /** Of its section; null where the command line names the only one. */
  readonly name: string | null
  readonly options: ServeOptions
  /** Where they were given, for messages. */
  readonly given: GivenOptions
}

/** What one process serves: at least one cluster. */
export type Configuration = LogOptions & { readonly clusters: readonly Cluster[] }

/** A configuration file that is still to be read, and what goes before it. */
export type ConfigRequest = {
  /** Absolute. */
  readonly path: string
  /** What names it: `--config` or its variable. */
  readonly source: string
  readonly flags: Flags
  readonly environment: Environment
}

export type StatusOptions = LocalOptions & {
  readonly print: 'screen' | 'json' | 'nagios'
  readonly expect: WantedRole | null
}

export type QueryOptions = {
  /** At least one. */
  readonly targets: readonly Target[]
  readonly timeoutMs: number
}

export type CommandLine =
  | { readonly command: 'help'; readonly of: CommandName | 'program' }
  | { readonly command: 'version' }
  | { readonly command: 'serve'; readonly configuration: Configuration }
  | { readonly command: 'serve from file' | 'check file'; readonly request: ConfigRequest }
  | { readonly command: 'discover' }
  | {
      readonly command: 'status'
      readonly options: StatusOptions
      readonly given: GivenOptions
    }
  | { readonly command: 'query'; readonly options: QueryOptions }
