import t from 'tap'
import { givenFor, listenAddressesOf } from '../../../src/cli/options/listen-addresses.ts'
import type { GivenOptions } from '../../../src/cli/options/settings.ts'
import { serveDefaults } from '../../harness/serve-options.ts'

const by = (port: string, address = port) => ({ by: { port, address } })

t.test('a cluster answers on its port, by HTTP and to agents', async t => {
  const http = [{ address: '::1', port: 2 }]
  const agent = [{ address: null, port: 3 }]
  const httpHealth = [{ address: null, port: 4 }]
  t.strictSame(
    listenAddressesOf({ ...serveDefaults, port: 1, bind: [], http, httpHealth, agent }),
    [
      { address: null, port: 1, ...by('port', 'bind') },
      { address: '::1', port: 2, ...by('http') },
      { address: null, port: 4, ...by('http-health') },
      { address: null, port: 3, ...by('agent') },
    ],
  )
  t.strictSame(listenAddressesOf({ ...serveDefaults, port: 1, bind: ['::1', '127.0.0.1'] }), [
    { address: '::1', port: 1, ...by('port', 'bind') },
    { address: '127.0.0.1', port: 1, ...by('port', 'bind') },
  ])
})

t.test('of several addresses the one is found that was given for a place', async t => {
  const at = (line: number) => ({ path: 'x.conf', line })
  const texts = (name: string, ...all: readonly string[]) =>
    all.map((text, index) => ({ name, text, at: at(index + 1) }))
  const given: GivenOptions = new Map([
    ['port', texts('port', '5400')],
    ['bind', texts('bind', '::1', '0:0::2', '::ffff:127.0.0.1')],
    ['http', texts('http', '8008', '[::1]:8008', 'x')],
  ])
  const lineOf = (
    ...place: Parameters<typeof givenFor> extends [unknown, ...infer Rest] ? Rest : []
  ) => givenFor(given, ...place)?.at?.line
  t.equal(lineOf('bind', { address: '::2', port: 5400 }), 2)
  t.equal(lineOf('bind', { address: '127.0.0.1', port: 5400 }), 3)
  t.equal(lineOf('http', { address: null, port: 8008 }), 1)
  t.equal(lineOf('http', { address: '::1', port: 8008 }), 2)
  t.equal(lineOf('port', { address: '::1', port: 5400 }), 1)
  t.equal(givenFor(given, 'agent', { address: null, port: 1 }), null)
})
