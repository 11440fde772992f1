/** What `serve` is started with in tests: on loopback, on whichever port is free. */
import type { ServeOptions } from '../../src/cli/options.ts'

export const serveDefaults: ServeOptions = {
  pgdata: '/pgdata',
  controlCheck: 'native',
  pgControldata: null,
  port: 0,
  bind: ['127.0.0.1'],
  whenUnavailable: 'refuse',
  newline: false,
  intervalMs: 500,
  leaseMs: 1500,
}
