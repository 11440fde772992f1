/** The values of options, each read by its form, with its default. */
import type { Endpoint } from '../../serve/endpoint.ts'
import {
  endpoint,
  endpointOrPath,
  hostName,
  ipAddress,
  network,
  onOff,
  oneOf,
  path,
} from './option-forms.ts'
import { peer, portNumber, shellCommand, size, userName, whole } from './option-forms.ts'
import { logFormats } from '../output/log.ts'
import { logLevels } from '../output/log-entries.ts'
import { optionTable, type OptionName } from './option-table.ts'
import type { AccountOptions, LocalOptions, LogOptions } from './option-values.ts'
import type { ServeOptions, TlsFiles } from './option-values.ts'
import { defaultPort } from './query-target.ts'
import { sourceOf, type Settings } from './settings.ts'

export const localOptions = (pgdata: string, { one }: Settings): LocalOptions => ({
  pgdata,
  controlCheck: one('control-check', oneOf(optionTable['control-check'].words), 'native'),
  pgControldata: one('pg-controldata', path, null),
  maintenanceFile: one('maintenance-file', path, null),
})

export const serveOptions = (settings: Settings): Omit<ServeOptions, keyof LocalOptions> => {
  const { one, all } = settings
  const intervalMs = one('interval', whole(50, 60_000), 500)
  const peers = peerOptions(settings)
  return {
    wait: one('wait', onOff, false),
    port: one('port', portNumber, defaultPort),
    bind: [...new Set(all('bind', ipAddress))],
    whenUnavailable: one(
      'when-unavailable',
      oneOf(optionTable['when-unavailable'].words),
      'refuse',
    ),
    newline: one('newline', onOff, false),
    onChange: one('on-change', shellCommand, null),
    http: distinct(all('http', endpointOrPath)),
    httpHealth: distinct(all('http-health', endpoint)),
    httpHosts: all('http-host', hostName),
    httpTls: tlsFiles(settings),
    allow: all('allow', network),
    ...agentOptions(settings, peers.peers.length > 0),
    ...peers,
    intervalMs,
    leaseMs: one('lease', leaseForm(intervalMs, givenBy(settings, 'interval')), 3 * intervalMs),
  }
}

const agentOptions = ({ one, all, need, refuse }: Settings, hasPeers: boolean) => {
  const options = {
    agent: distinct(all('agent', endpoint)),
    agentUpFor: one('agent-up-for', oneOf(optionTable['agent-up-for'].words), 'primary'),
    agentLag: one('agent-lag', size, null),
  }
  if (options.agent.length === 0) need('agent-lag', 'agent')
  // Only the primary knows how much there is to receive.
  if (!hasPeers) need('agent-lag', 'peer')
  if (options.agentUpFor === 'primary') refuse('agent-lag', 'requires agent-up-for standby or any')
  return options
}

const peerOptions = ({ one, all, need, refuse, given }: Settings) => {
  const peers = distinctBy(all('peer', peer), ({ text }) => text)
  const options = {
    peers,
    peerTimeoutMs: one('peer-timeout', whole(50, 60_000), 1000),
    whenSuperseded: one(
      'when-superseded',
      oneOf(optionTable['when-superseded'].words),
      'unavailable',
    ),
  }
  if (peers.length === 0) {
    need('peer-timeout', 'peer')
    need('when-superseded', 'peer')
  }
  const [check] = given.get('control-check') ?? []
  // Without the control file neither the cluster nor its timeline is known.
  if (check?.text === 'off') refuse('peer', `cannot be used with ${sourceOf(check)} off`)
  return options
}

const tlsFiles = ({ one, need }: Settings): TlsFiles | null => {
  const cert = one('http-cert', path, null)
  const files = { key: one('http-key', path, null), clientCa: one('http-client-ca', path, null) }
  if (cert !== null) return { cert, ...files }
  need('http-key', 'http-cert')
  need('http-client-ca', 'http-cert')
  return null
}

/** Opening the same endpoint twice would fail. */
const distinct = (endpoints: readonly Endpoint[]): readonly Endpoint[] =>
  distinctBy(endpoints, ({ address, port }) => `${address} ${port}`)

const distinctBy = <Value>(
  values: readonly Value[],
  keyOf: (value: Value) => string,
): readonly Value[] => [...new Map(values.map(value => [keyOf(value), value])).values()]

export const logOptions = ({ one }: Settings): LogOptions => ({
  logLevel: one('log-level', oneOf(logLevels), 'info'),
  logFormat: one('log-format', oneOf(logFormats), 'text'),
})

export const accountOptions = ({ one }: Settings): AccountOptions => ({
  user: one('user', userName, null),
})

/**
 * A lease shorter than two intervals could expire before the next check ends. `source` is that of
 * the interval, which may be given elsewhere.
 */
const leaseForm = (intervalMs: number, source: string) => ({
  ...whole(2 * intervalMs, 600_000),
  expected: `a whole number from ${2 * intervalMs} (twice ${source}) to 600000`,
})

/** Where an option was given that has been read already. */
export const givenBy = ({ given }: Settings, option: OptionName): string => {
  const [source] = given.get(option) ?? []
  return source === undefined ? `the default of ${option}` : sourceOf(source)
}
