/** What `serve` is started with in tests: on loopback, on whichever port is free. */
import type { ServeOptions } from '../../src/cli/options/option-values.ts'

export const serveDefaults: ServeOptions = {
  pgdata: '/pgdata',
  controlCheck: 'native',
  pgControldata: null,
  maintenanceFile: null,
  wait: false,
  port: 0,
  bind: ['127.0.0.1'],
  whenUnavailable: 'refuse',
  newline: false,
  onChange: null,
  http: [],
  httpHealth: [],
  httpHosts: [],
  httpTls: null,
  allow: [],
  agent: [],
  agentUpFor: 'primary',
  agentLag: null,
  peers: [],
  peerTimeoutMs: 1000,
  whenSuperseded: 'unavailable',
  intervalMs: 500,
  leaseMs: 1500,
}
