/** The values of options, after they have been checked. */
import type { ControlCheck } from '../../facts/decide/evidence.ts'
import type { WhenSuperseded } from '../../facts/decide/standing.ts'
import type { WantedRole } from '../../facts/decide/verdict.ts'
import type { Peer } from '../../observe/peers/peer-request.ts'
import type { Network } from '../../serve/allow-list.ts'
import type { Endpoint } from '../../serve/endpoint.ts'
import type { WhenUnavailable } from '../../serve/role/reply.ts'
import type { LogFormat } from '../output/log.ts'
import type { LogLevel } from '../output/log-entries.ts'
import type { CommandName } from './option-spec.ts'
import type { Target } from './query-target.ts'
import type { Environment, Flags, GivenOptions } from './settings.ts'

export type CheckOptions = {
  /** An absolute path. */
  readonly pgdata: string
  readonly controlCheck: ControlCheck
  /** An absolute path; null to search for the program. */
  readonly pgControldata: string | null
}

/** Of commands that check a data directory of this machine. */
export type LocalOptions = CheckOptions & {
  /** An absolute path; null for none. */
  readonly maintenanceFile: string | null
}

/** Absolute paths. */
export type TlsFiles = {
  readonly cert: string
  /** Null if it is in the file of the certificate. */
  readonly key: string | null
  /** Null if clients need no certificate. */
  readonly clientCa: string | null
}

export type ServeOptions = LocalOptions & {
  /** The data directory may not exist yet. */
  readonly wait: boolean
  readonly port: number
  /** Empty for every address of the host. */
  readonly bind: readonly string[]
  readonly whenUnavailable: WhenUnavailable
  readonly newline: boolean
  /** A shell command; null for none. */
  readonly onChange: string | null
  /** Addresses of HTTP. */
  readonly http: readonly Endpoint[]
  /** Addresses of HTTP without the pages that show more than the role. */
  readonly httpHealth: readonly Endpoint[]
  /** Further names of this host, in lower case; `.example.com` for every name in a domain. */
  readonly httpHosts: readonly string[]
  /** Null for plain HTTP. */
  readonly httpTls: TlsFiles | null
  /** Allowed clients, on every port; empty for all clients. */
  readonly allow: readonly Network[]
  /** Addresses of HAProxy's agent-check. */
  readonly agent: readonly Endpoint[]
  readonly agentUpFor: WantedRole
  /** How many bytes a standby may be behind to be up there; null for no limit. */
  readonly agentLag: number | null
  /** Other members of the cluster. */
  readonly peers: readonly Peer[]
  readonly peerTimeoutMs: number
  readonly whenSuperseded: WhenSuperseded
  readonly intervalMs: number
  readonly leaseMs: number
}

export type LogOptions = { readonly logLevel: LogLevel; readonly logFormat: LogFormat }

/** A data directory, and the options to serve it with. */
export type Cluster = {
  /** Of its section; null for a cluster of the command line. */
  readonly name: string | null
  readonly options: ServeOptions
  /** Where the options were given, for messages. */
  readonly given: GivenOptions
}

/** The account that root is to become; null for the owner of the data directory. */
export type AccountOptions = { readonly user: string | null }

/** What one process serves: at least one cluster. */
export type Configuration = LogOptions & AccountOptions & { readonly clusters: readonly Cluster[] }

/** A configuration file that is still to be read, and what takes precedence over it. */
export type ConfigRequest = AccountOptions & {
  /** An absolute path. */
  readonly path: string
  /** `--config` or its variable. */
  readonly source: string
  readonly flags: Flags
  readonly environment: Environment
}

export type StatusOptions = LocalOptions &
  AccountOptions & {
    readonly print: 'screen' | 'json' | 'nagios'
    readonly expect: WantedRole | null
  }

export type HistoryOptions = AccountOptions & {
  /** The daemon to ask, or the data directory that it watches on this host: an absolute path. */
  readonly of: { readonly target: Peer } | { readonly pgdata: string }
  readonly json: boolean
  readonly timeoutMs: number
}

export type QueryOptions = {
  /** At least one. */
  readonly targets: readonly Target[]
  readonly timeoutMs: number
}

export type ClusterOptions = {
  /** The daemon to ask. */
  readonly target: Peer
  readonly json: boolean
  readonly watch: boolean
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
  | {
      readonly command: 'history'
      readonly options: HistoryOptions
      readonly given: GivenOptions
    }
  | { readonly command: 'query'; readonly options: QueryOptions }
  | { readonly command: 'cluster'; readonly options: ClusterOptions }
