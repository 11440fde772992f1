import assert from 'node:assert'
import * as fc from 'fast-check'
import { resolve } from 'node:path'
import t from 'tap'
import { parseConfigFile } from '../../../src/cli/config/config-file.ts'
import { readConfiguration } from '../../../src/cli/config/configuration.ts'
import { proposeConfiguration, type DebianCluster } from '../../../src/cli/commands/discover.ts'
import { readSettings } from '../../../src/facts/decode/postgresql-conf.ts'
import { assertPrintable, textOf } from '../../harness/foreign-text.ts'

const cluster = (
  name: string,
  settings = '',
  changes: Partial<DebianCluster> = {},
): DebianCluster => ({
  name,
  pgdata: `/var/lib/postgresql/${name}`,
  settings: readSettings([settings]),
  unread: [],
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
    `; Proposed by pg-replstatus --discover, with port and address of bgw_replstatus, if loaded.
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

t.test('other clusters get ports that are not used, not even by a server', async t => {
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

t.test('what two workers cannot both have, the first one gets', async t => {
  const loaded = "shared_preload_libraries = 'bgw_replstatus'"
  const text = propose(cluster('a', loaded), cluster('b', loaded))
  t.strictSame(places(text), [
    ['a', 5400],
    ['b', 5401],
  ])
  t.match(text, '\n; bgw_replstatus.port 5400 cannot be used here.\nport = 5401\n')
  const apart = (address: string) => `bgw_replstatus.bind = '${address}'`
  t.strictSame(places(propose(cluster('a', apart('::1')), cluster('b', apart('::2')))), [
    ['a', 5400, '::1'],
    ['b', 5400, '::2'],
  ])
})

t.test('a port that cannot be used is reported', async t => {
  const text = propose(cluster('a', "bgw_replstatus.bind = 'a.example'"))
  t.match(
    text,
    '; bgw_replstatus.port 5400 with bgw_replstatus.bind "a.example" cannot be used here.',
  )
  t.strictSame(places(text), [['a', 5400]])
  for (const port of ['70000', '0', 'x']) {
    t.strictSame(places(propose(cluster('a', `bgw_replstatus.port = ${port}`))), [['a', 5400]])
  }
})

t.test('a file that could not be read is reported', async t => {
  t.match(propose(cluster('a', '', { complete: false })), /\n; The settings of ALTER SYSTEM/)
  const unread = ['/etc/a\n[b]/x.conf (EACCES)', '/etc/y.conf (not a regular file)']
  const text = propose(cluster('a', '', { unread }), cluster('b', '', { pgdata: null, unread }))
  t.match(text, '\n; could not read /etc/a\\u000a[b]/x.conf (EACCES).\n; could not read /etc/y')
  t.match(text, String.raw`; b is left out: could not read /etc/a\u000a[b]/x.conf (EACCES), could`)
  t.strictSame(places(text), [['a', 5400]])
})

t.test('of two clusters in one directory the first one is served', async t => {
  const text = propose(cluster('a', '', { pgdata: '/x' }), cluster('b', '', { pgdata: '/y/../x/' }))
  t.match(text, '\n; b is left out: its data_directory is that of a.\n')
  t.strictSame(places(text), [['a', 5400]])
})

/** Whatever the account of a server writes into its names and files. */
const written = textOf(
  '\n[main]\non-change = touch /tmp/evil\n',
  '\r',
  '\u2028[x]',
  'on-change=',
  '"',
  "'",
  ';',
  '#',
  '=',
  '[a]',
  '\\',
  '/a',
  '\uFFFD',
)
const anySettings = fc
  .record({
    port: fc.option(fc.oneof(written, fc.constantFrom('1', '5400', 'x', '99999'))),
    'bgw_replstatus.port': fc.option(fc.oneof(written, fc.constantFrom('5400', '5401', '0'))),
    'bgw_replstatus.bind': fc.option(
      fc.oneof(written, fc.constantFrom('::1', '10.0.0.7', 'fe80::1%eth0', 'fe80::1%a\n[x]')),
    ),
    shared_preload_libraries: fc.option(fc.constantFrom('bgw_replstatus', 'a, bgw_replstatus')),
  })
  .map(
    settings =>
      new Map(Object.entries(settings).filter((one): one is [string, string] => one[1] !== null)),
  )
const anyCluster: fc.Arbitrary<DebianCluster> = fc.record({
  name: fc.oneof(written, fc.constantFrom('15-main', '16-main', '16-a.b')),
  pgdata: fc.option(
    fc.oneof(
      written,
      written.map(text => `/${text}`),
      fc.constantFrom('/x', '/y'),
    ),
  ),
  settings: anySettings,
  unread: fc.array(written, { maxLength: 2 }),
  complete: fc.boolean(),
})
const clustersOfNames = fc.uniqueArray(anyCluster, { selector: ({ name }) => name, maxLength: 4 })

t.test('whatever names and settings are, a section has its place and nothing else', async t => {
  const property = fc.property(clustersOfNames, clusters => {
    const all = [cluster('ours'), ...clusters]
    const text = propose(...all)
    assertPrintable(text)
    const { top, sections, errors } = parseConfigFile(text, 'x')
    assert.deepEqual({ top: top.size, errors }, { top: 0, errors: [] })
    for (const { name, entries } of sections) {
      const keys = [...entries.keys()].filter(key => key !== 'bind')
      assert.deepEqual(keys, ['pgdata', 'port'])
      const source = all.find(one => one.name === name)
      assert.equal(entries.get('pgdata')?.[0]?.text, source?.pgdata)
    }
    assert.equal(sections[0]?.name, 'ours')
    assert.equal(places(text).length, sections.length, 'and it can be served')
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})

t.test('a directory is understood as it was proposed, whatever its name', async t => {
  const directory = fc
    .string({ unit: fc.constantFrom('a', ' ', '/', ';', '#', '=', '"', "'", '[', ']', '\\') })
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

t.test('clusters that cannot be served are left out', async t => {
  const text = propose(
    cluster('a', '', { pgdata: null }),
    cluster('b c'),
    cluster('d'),
    cluster('e', '', { pgdata: '/e\nport = 1' }),
    cluster('f\ng'),
    cluster('h', '', { pgdata: 'relative' }),
    cluster('i', '', { pgdata: '/ver\uFFFD' }),
  )
  t.match(text, '\n; a is left out: data_directory is not set in its postgresql.conf.\n')
  t.match(text, '\n; b c is left out: "b c" is not a valid section name.\n')
  const unprintable = 'the name of its data_directory is not printable UTF-8'
  for (const name of ['e', 'i']) t.match(text, `\n; ${name} is left out: ${unprintable}.\n`)
  t.match(text, String.raw`; f\u000ag is left out: "f\ng" is not a valid section name.`)
  t.match(text, '\n; h is left out: its data_directory is not an absolute path.\n')
  t.strictSame(places(text), [['d', 5400]])
})

t.test('without a cluster there is nothing to propose', async t => {
  const fault = {
    message: 'no cluster found in /etc/postgresql',
    hint: 'start pg-replstatus with -D, or write the file for --config by hand',
  }
  t.strictSame(proposeConfiguration([]), { ok: false, fault })
  t.strictSame(proposeConfiguration([cluster('a', '', { pgdata: null })]), { ok: false, fault })
})
