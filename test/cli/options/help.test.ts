import t from 'tap'
import { exitCodes } from '../../../src/cli/output/exit-codes.ts'
import { help } from '../../../src/cli/options/help.ts'
import { optionsOf, variableOf } from '../../../src/cli/options/option-list.ts'
import { commandNames } from '../../../src/cli/options/option-spec.ts'
import { parseCommandLine } from '../../../src/cli/options/command-line.ts'
import { wireWords } from '../../../src/serve/role/reply.ts'
import { serveDefaults } from '../../harness/serve-options.ts'

t.test('pages fit a terminal and end with a line feed', async t => {
  for (const [name, page] of Object.entries(help)) {
    for (const line of page.split('\n')) t.ok(line.length <= 80, `${name}: ${line}`)
    t.match(page, /\S\n$/)
    t.notMatch(page, / \n/, 'nothing trails')
  }
})

t.test('pages list the exit codes', async t => {
  for (const page of Object.values(help)) t.match(page, /^Exit codes:$/m)
  for (const page of [help.program, help.status, help.query]) {
    t.match(page, new RegExp(`^ +${exitCodes.primary} +primary`, 'm'))
    t.match(page, new RegExp(`^ +${exitCodes.standby} +standby`, 'm'))
    t.match(page, new RegExp(`^ +${exitCodes.unavailable} +unavailable`, 'm'))
    t.match(page, new RegExp(`^ +${exitCodes.error} +(error|wrong usage)`, 'm'))
  }
})

t.test('the page of the program names each command', async t => {
  for (const command of commandNames) t.match(help.program, command)
})

t.test('the words on the wire are those that are sent', async t => {
  for (const word of Object.values(wireWords)) t.match(help.serve, word)
})

t.test('defaults in the help are the defaults', async t => {
  const parsed = parseCommandLine(['-D', '/data'], {})
  if (!parsed.ok || parsed.fact.command !== 'serve') throw new Error('no serve')
  const { clusters, logLevel, logFormat, user } = parsed.fact.configuration
  const options = clusters[0]?.options ?? serveDefaults
  const stated = Array.from(
    help.serve.matchAll(/--([a-z-]+)(?:(?!\n {2}-|\n\n)[^])*?\(default: ([^);]+)/g),
    ([, name, value]) => [name, value] as const,
  )
  t.strictSame(Object.fromEntries(stated), {
    'control-check': options.controlCheck,
    'pg-controldata': "of the server's version, else in PATH",
    user: user ?? 'the owner of the data directory',
    port: String(options.port),
    bind: 'all of this host',
    'when-unavailable': options.whenUnavailable,
    http: options.http.length === 0 ? 'off' : 'on',
    'http-health': options.httpHealth.length === 0 ? 'off' : 'on',
    'http-host': 'the name of this host',
    'http-key': 'in the same file',
    allow: 'all clients',
    agent: 'nowhere',
    'agent-up-for': options.agentUpFor,
    'agent-lag': options.agentLag ?? 'no limit',
    peer: options.peers.length === 0 ? 'none' : 'some',
    'peer-timeout': String(options.peerTimeoutMs),
    'when-superseded': options.whenSuperseded,
    interval: String(options.intervalMs),
    lease: `${options.leaseMs / options.intervalMs} intervals`,
    'log-level': logLevel,
    'log-format': logFormat,
  })
  const query = parseCommandLine(['query'], {})
  if (!query.ok || query.fact.command !== 'query') throw new Error('no query')
  t.match(help.query, `(default: ${query.fact.options.timeoutMs})`)
  const cluster = parseCommandLine(['cluster'], {})
  if (!cluster.ok || cluster.fact.command !== 'cluster') throw new Error('no cluster')
  t.match(help.cluster, `(default: ${cluster.fact.options.target.text})`)
  t.match(help.cluster, `(default: ${cluster.fact.options.timeoutMs})`)
  const [target] = query.fact.options.targets
  t.match(help.query, `(default: ${target?.host}:${target?.port})`)
})

t.test('what the help lists of the environment is so', async t => {
  t.match(help.serve, /^Each option, except those that exit, can also be set in the environment/m)
  for (const [name, { help: lines }] of optionsOf('serve')) {
    const usual = `PG_REPLSTATUS_${name.toUpperCase().replaceAll('-', '_')}`
    const exits = lines.join(' ').endsWith(', then exit')
    t.equal(variableOf(name), exits ? null : name === 'pgdata' ? 'PGDATA' : usual, name)
  }
  for (const [name] of optionsOf('status')) {
    const variable = variableOf(name)
    if (variable !== null) t.match(help.status, variable, name)
  }
})
