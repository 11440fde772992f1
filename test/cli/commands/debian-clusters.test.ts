import { execFileSync } from 'node:child_process'
import { mkdirSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { defaultLimits, findClusters } from '../../../src/cli/commands/debian-clusters.ts'

t.test(
  'clusters are in the order of versions and names, with the settings of their files',
  async t => {
    const root = t.testdir({
      data: { 'postgresql.auto.conf': "# by ALTER SYSTEM\nbgw_replstatus.port = '5403'\n" },
      etc: {
        '9.6': { main: { 'postgresql.conf': 'port = 5432\n' } },
        '15': {
          main: { 'postgresql.conf': '', 'conf.d': {} },
          big: {},
          empty: {},
        },
        '14': { 'no-conf': { environment: '' } },
        common: { main: { 'postgresql.conf': '' } },
        '16': 'a file',
      },
    })
    const big = join(root, 'etc/15/big')
    mkdirSync(join(big, 'conf.d'))
    const text = `data_directory = '${root}/data'\nport = 5440\nbgw_replstatus.port = 5401\n`
    writeFileSync(join(big, 'postgresql.conf'), text)
    writeFileSync(join(big, 'conf.d/b.conf'), "port = 5442\nbgw_replstatus.bind = '::2'\n")
    writeFileSync(join(big, 'conf.d/a.conf'), 'port = 5441\n')
    writeFileSync(join(big, 'conf.d/.c.conf'), 'port = 1\n')
    writeFileSync(join(big, 'conf.d/c.conf.old'), 'port = 1\n')
    mkdirSync(join(big, 'conf.d/d.conf'))
    t.strictSame(await findClusters(join(root, 'etc')), [
      {
        name: '9.6-main',
        pgdata: null,
        settings: new Map([['port', '5432']]),
        unread: [],
        complete: false,
      },
      {
        name: '15-big',
        pgdata: join(root, 'data'),
        settings: new Map([
          ['data_directory', join(root, 'data')],
          ['port', '5442'],
          ['bgw_replstatus.port', '5403'],
          ['bgw_replstatus.bind', '::2'],
        ]),
        unread: [`${join(big, 'conf.d/d.conf')} (not a regular file)`],
        complete: true,
      },
      { name: '15-main', pgdata: null, settings: new Map(), unread: [], complete: false },
    ])
  },
)

t.test('what could not be read is not complete', async t => {
  const main = { 'postgresql.conf': "data_directory = '/nowhere'\n" }
  const root = t.testdir({ '15': { main } })
  t.match(await findClusters(root), [{ name: '15-main', pgdata: '/nowhere', complete: false }])
})

t.test('what is put in the place of a file hangs nothing and fills nothing', async t => {
  const root = t.testdir({
    data: {},
    '15': { fifo: {}, zero: {}, sparse: {}, link: {}, parts: { 'conf.d': {} }, gone: {} },
  })
  const at = (...path: readonly string[]): string => join(root, '15', ...path)
  const makeFifo = (path: string) => execFileSync('mkfifo', [path])
  makeFifo(at('fifo/postgresql.conf'))
  symlinkSync('/dev/zero', at('zero/postgresql.conf'))
  writeFileSync(at('sparse/postgresql.conf'), 'port = 1\n')
  truncateSync(at('sparse/postgresql.conf'), 2 ** 40)
  const text = `data_directory = '${root}/data'\n`
  writeFileSync(at('parts/postgresql.conf'), text)
  makeFifo(at('parts/conf.d/a.conf'))
  symlinkSync('/dev/zero', at('parts/conf.d/b.conf'))
  symlinkSync('gone.conf', at('parts/conf.d/c.conf'))
  writeFileSync(at('parts/conf.d/d.conf'), 'port = 5433\n')
  makeFifo(join(root, 'data/postgresql.auto.conf'))
  symlinkSync(at('parts/postgresql.conf'), at('link/postgresql.conf'))
  symlinkSync('none', at('gone/postgresql.conf'))
  const found = await findClusters(root)
  t.match(
    found.map(({ name, pgdata, unread }) => [name, pgdata, ...unread]),
    [
      ['15-fifo', null, `${at('fifo/postgresql.conf')} (not a regular file)`],
      ['15-link', join(root, 'data')],
      [
        '15-parts',
        join(root, 'data'),
        `${at('parts/conf.d/a.conf')} (not a regular file)`,
        `${at('parts/conf.d/b.conf')} (not a regular file)`,
      ],
      ['15-sparse', null, `${at('sparse/postgresql.conf')} (longer than 1048576 bytes)`],
      ['15-zero', null, `${at('zero/postgresql.conf')} (not a regular file)`],
    ],
  )
  t.strictSame(
    found.filter(({ complete }) => complete),
    [],
  )
  t.equal(found[2]?.settings.get('port'), '5433')
})

t.test('a value as long as a file may be is read as any other', async t => {
  const long = `cluster_name = '${"''x".repeat(300_000)}'\n`
  const root = t.testdir({ '15': { main: { 'postgresql.conf': `${long}port = 5433\n` } } })
  const [main] = await findClusters(root)
  t.equal(main?.settings.get('port'), '5433')
})

t.test('all files together have a limit, and so have the entries of a folder', async t => {
  t.strictSame(defaultLimits, { fileBytes: 2 ** 20, allBytes: 2 ** 26, entries: 10_000 })
  const limits = { fileBytes: 1024, allBytes: 4096, entries: 8 }
  const root = t.testdir({ '15': { main: { 'conf.d': {} } } })
  const main = join(root, '15/main')
  writeFileSync(join(main, 'postgresql.conf'), `#${'x'.repeat(1023)}`)
  for (let part = 0; part < 8; part += 1)
    symlinkSync('../postgresql.conf', join(main, `conf.d/${part}.conf`))
  const inAll = /\/conf\.d\/[3-7]\.conf \(more than 4096 bytes in all\)$/
  const [full] = await findClusters(root, limits)
  t.match(full?.unread, [inAll, inAll, inAll, inAll, inAll])
  t.equal(full?.unread.length, 5)
  symlinkSync('none', join(main, 'conf.d/8.conf'))
  const [found] = await findClusters(root, limits)
  t.equal(found?.unread[0], `${join(main, 'conf.d')} (more than 8 entries)`)
  rmSync(join(main, 'conf.d'), { recursive: true })
  for (let cluster = 0; cluster < 8; cluster += 1)
    symlinkSync('none', join(root, '15', `none${cluster}`))
  const clusters = await findClusters(root, limits)
  const unread = [`${join(root, '15')} (more than 8 entries)`]
  t.match(clusters[0], { name: '15', pgdata: null, unread })
  for (let version = 0; version < 8; version += 1) symlinkSync('none', join(root, `none${version}`))
  const [top] = await findClusters(root, limits)
  t.match(top, { name: root, pgdata: null, unread: [`${root} (more than 8 entries)`] })
})

t.test('elsewhere than on Debian there are none', async t => {
  t.strictSame(await findClusters(join(t.testdir(), 'none')), [])
  t.ok(Array.isArray(await findClusters()))
})
