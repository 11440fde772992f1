import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { findClusters } from '../../src/cli/debian-clusters.ts'

t.test('clusters in the order of versions and names, with what their files say', async t => {
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
      complete: true,
    },
    { name: '15-main', pgdata: null, settings: new Map(), complete: false },
  ])
})

t.test('what could not be read is not complete', async t => {
  const main = { 'postgresql.conf': "data_directory = '/nowhere'\n" }
  const root = t.testdir({ '15': { main } })
  t.match(await findClusters(root), [{ name: '15-main', pgdata: '/nowhere', complete: false }])
})

t.test('elsewhere than on Debian there are none', async t => {
  t.strictSame(await findClusters(join(t.testdir(), 'none')), [])
  t.ok(Array.isArray(await findClusters()))
})
