import * as fc from 'fast-check'
import { resolve } from 'node:path'
import t from 'tap'
import { readConfiguration } from '../../src/cli/configuration.ts'
import { proposeConfiguration, type DebianCluster } from '../../src/cli/discover.ts'
import { readSettings } from '../../src/facts/server-settings.ts'

const cluster = (
  name: string,
  settings = '',
  changes: Partial<DebianCluster> = {},
): DebianCluster => ({
  name,
  pgdata: `/var/lib/postgresql/${name}`,
  settings: readSettings([settings]),
  complete: true,
  ...changes,
})

const propose = (...clusters: readonly DebianCluster[]): string => {
  const proposed = proposeConfiguration(clusters)
  if (!proposed.ok) throw new Error(proposed.fault.message)
  return proposed.fact
}
/** Where each is answered for, as the file is understood. */
const places = (text: string) => {
  const request = { path: 'x', source: '--config', flags: new Map(), environment: {} }
  const read = readConfiguration(text, request)
  if (!read.ok) throw new Error(JSON.stringify(read.fault))
  return read.fact.clusters.map(({ name, options: { port, bind } }) => [name, port, bind].flat())
}

t.test('the proposal is a configuration file', async t => {
  const text = propose(
    cluster('14-main', "bgw_replstatus.port = 5402\nbgw_replstatus.bind = '10.0.0.7'"),
    cluster('15-main'),
  )
  t.equal(
    text,
    `; Proposed by pg-replstatus --discover. Where bgw_replstatus is loaded, its port and address.
; Check with: pg-replstatus --config FILE --check-config

[14-main]
pgdata = /var/lib/postgresql/14-main
port = 5402
bind = 10.0.0.7

[15-main]
pgdata = /var/lib/postgresql/15-main
port = 5400
`,
  )
  t.strictSame(places(text), [
    ['14-main', 5402, '10.0.0.7'],
    ['15-main', 5400],
  ])
})

t.test('others get ports that nobody has, not even a server', async t => {
  const text = propose(
    cluster('a', 'port = 5401'),
    cluster('b', 'bgw_replstatus.port = 5400'),
    cluster('c', 'port = 5403'),
    cluster('d'),
  )
  t.strictSame(places(text), [
    ['a', 5402],
    ['b', 5400],
    ['c', 5404],
    ['d', 5405],
  ])
})

t.test('what two workers can not both have, the first one gets', async t => {
  const loaded = "shared_preload_libraries = 'bgw_replstatus'"
  const text = propose(cluster('a', loaded), cluster('b', loaded))
  t.strictSame(places(text), [
    ['a', 5400],
    ['b', 5401],
  ])
  t.match(text, "\n; bgw_replstatus.port 5400 can't be had here.\nport = 5401\n")
  const apart = (address: string) => `bgw_replstatus.bind = '${address}'`
  t.strictSame(places(propose(cluster('a', apart('::1')), cluster('b', apart('::2')))), [
    ['a', 5400, '::1'],
    ['b', 5400, '::2'],
  ])
})

t.test('what we could not have is told', async t => {
  const text = propose(cluster('a', "bgw_replstatus.bind = 'a.example'"))
  t.match(
    text,
    '; bgw_replstatus.port 5400 with bgw_replstatus.bind "a.example" can\'t be had here.',
  )
  t.strictSame(places(text), [['a', 5400]])
  for (const port of ['70000', '0', 'x']) {
    t.strictSame(places(propose(cluster('a', `bgw_replstatus.port = ${port}`))), [['a', 5400]])
  }
})

t.test('what could not be read is told', async t => {
  t.match(propose(cluster('a', '', { complete: false })), /\n; What ALTER SYSTEM wrote/)
})

t.test('a directory is understood as it was proposed, whatever its name', async t => {
  const directory = fc
    .string({ unit: fc.constantFrom('a', ' ', '/', ';', '#', '=', '"', "'", '[', ']', '\\', '\t') })
    .map(name => `/${name}`)
  const text = (pgdata: string) => propose(cluster('a', '', { pgdata }))
  fc.assert(
    fc.property(directory, pgdata => {
      const read = readConfiguration(text(pgdata), {
        path: 'x',
        source: '--config',
        flags: new Map(),
        environment: {},
      })
      return read.ok && read.fact.clusters[0]?.options.pgdata === resolve(pgdata)
    }),
  )
  t.match(text('/a; b#"c"=d'), '\npgdata = /a; b#"c"=d\n')
  t.match(text('/a '), '\npgdata = "/a "\n')
})

t.test('clusters that can not be served are left out', async t => {
  const text = propose(
    cluster('a', '', { pgdata: null }),
    cluster('b c'),
    cluster('d'),
    cluster('e', '', { pgdata: '/e\nport = 1' }),
    cluster('f\ng'),
  )
  t.match(text, '\n; a is left out: its postgresql.conf names no data_directory.\n')
  t.match(text, '\n; b c is left out: "b c" is no name for a section.\n')
  t.match(text, '\n; e is left out: its data_directory has a line feed in its name.\n')
  t.match(text, '\n; f.g is left out: "f\\ng" is no name for a section.\n')
  t.strictSame(places(text), [['d', 5400]])
})

t.test('without a cluster there is nothing to propose', async t => {
  const fault = {
    message: 'found no cluster under /etc/postgresql, wanted those that Debian keeps there',
    hint: 'start it with -D, or write the file for --config by hand',
  }
  t.strictSame(proposeConfiguration([]), { ok: false, fault })
  t.strictSame(proposeConfiguration([cluster('a', '', { pgdata: null })]), { ok: false, fault })
})
