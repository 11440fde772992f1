import t from 'tap'
import { readConfiguration } from '../../../src/cli/config/configuration.ts'
import { findConflicts } from '../../../src/cli/config/conflicts.ts'
import type { ConfigRequest } from '../../../src/cli/options/option-values.ts'
import { serveDefaults } from '../../harness/serve-options.ts'

/** As they are told of a whole file. */
const told = (lines: readonly string[], changes: Partial<ConfigRequest> = {}) => {
  const request = { path: 'x', source: '--config', flags: new Map(), environment: {}, ...changes }
  const read = readConfiguration(lines.join('\n'), request)
  return read.ok ? [] : read.fault
}
const messages = (...lines: readonly string[]) => told(lines).map(({ message }) => message)
const two = (first: string, second: string) =>
  messages('[a]', 'pgdata = /a', first, '[b]', 'pgdata = /b', second)

t.test('two clusters have each a directory of their own', async t => {
  t.strictSame(messages('[a]', 'pgdata = /d', '[b]', 'pgdata = /d/', 'port = 1'), [
    'x:4: pgdata "/d" is already used by cluster a',
  ])
  const cluster = { name: 'a', options: { ...serveDefaults, port: 0 }, given: new Map(), line: 1 }
  t.match(findConflicts([cluster, { ...cluster, name: 'b', line: 3 }], 'x'), [{ line: 3 }])
})

t.test('and a port, or an address', async t => {
  const port = (line: number) => `x:${line}: port 1 of cluster b is already used by cluster a`
  const ports = ['[a]', 'pgdata = /a', 'port = 1', '[b]', 'pgdata = /b', 'bind = ::1', 'port = 1']
  t.strictSame(messages(...ports), [`${port(7)} (x:3)`])
  t.strictSame(two('port = 0', 'port = 0'), [])
  t.strictSame(two('bind = 127.0.0.1', 'bind = 127.0.0.2'), [])
  t.strictSame(two('bind = ::', 'bind = 0.0.0.0'), [], 'they can share a port')
  t.strictSame(two('bind = ::', 'bind = 0:0::1'), [
    'x:6: port 5400 of cluster b is already used by cluster a (x:3)',
  ])
  t.match(two('bind = ::ffff:127.0.0.1', 'bind = 127.0.0.1'), [/^x:6: port 5400/])
  t.match(two('bind = 0.0.0.0, ::', 'bind = 127.0.0.1, ::1'), [/^x:6: port 5400/], 'told once')
})

t.test('a default used in place of an invalid value is no conflict', async t => {
  t.match(two('port = x', 'http = 8008'), [/^x:3: port must be .*"x"/])
  t.equal(two('port = x', 'http = 8008').length, 1)
})

t.test('whether it is asked by HTTP or as an agent', async t => {
  const taken = (key: string, other: string) =>
    messages('[a]', 'pgdata = /a', key, '[b]', 'pgdata = /b', 'port = 5401', other)
  const both = 'x:7: port 8008 of cluster b is already used by cluster a (x:3)'
  const socket = '/run/s of cluster b is already used by cluster a'
  t.strictSame(taken('http = unix:/run/s', 'http = unix:/run/s'), [`x:7: ${socket} (x:3)`])
  t.strictSame(taken('http = unix:/run/s', 'http = unix:/run/t'), [])
  t.strictSame(taken('http = 8008', 'http = 127.0.0.1:8008'), [both])
  t.strictSame(taken('http = 8008', 'agent = 8008'), [both])
  t.strictSame(taken('port = 8008', 'agent = [::1]:8008'), [both])
  t.strictSame(taken('http = 127.0.0.1:8008', 'http = 127.0.0.2:8008'), [])
  t.strictSame(taken('agent = 0', 'agent = 0'), [])
})

t.test('one cluster cannot answer twice in one place either', async t => {
  t.strictSame(told(['[a]', 'pgdata = /a', 'http = 8008', 'agent = 127.0.0.1:8008']), [
    {
      message: 'x:4: port 8008 of cluster a is already used (x:3)',
      hint: 'use another port, or a separate address for each',
    },
  ])
  t.strictSame(messages('[a]', 'pgdata = /a', 'bind = 127.0.0.1', 'bind = 0.0.0.0', 'port = 1'), [
    'x:5: port 1 of cluster a is already used',
  ])
})

t.test('each address is reported with its source', async t => {
  const sections = ['[a]', 'pgdata = /a', '[b]', 'pgdata = /b', 'port = 5401']
  const hint = (source: string) =>
    `${source} applies to every cluster: set http in each section instead`
  const shared = 'port 8008 of cluster b is already used by cluster a'
  t.strictSame(told(['http = 8008', ...sections]), [
    { message: `x:1: ${shared}`, hint: hint('x:1') },
  ])
  t.strictSame(told(sections, { flags: new Map([['http', ['8008']]]) }), [
    { message: `--http: ${shared}`, hint: hint('--http') },
  ])
  t.strictSame(told(sections, { environment: { PG_REPLSTATUS_HTTP: '8008' } }), [
    { message: `PG_REPLSTATUS_HTTP: ${shared}`, hint: hint('PG_REPLSTATUS_HTTP') },
  ])
  t.match(told([...sections, '[c]', 'pgdata = /c'], { flags: new Map([['http', ['5401']]]) }), [
    { message: /^--http: port 5401 of cluster b is already used by cluster a$/ },
    { message: /^--http: port 5401 of cluster c is already used by cluster a$/ },
    { message: 'x:5: port 5401 of cluster b is already used by cluster a (--http)' },
    { message: 'x:6: port 5400 of cluster c is already used by cluster a (x:1)' },
  ])
})
