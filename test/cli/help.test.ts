import t from 'tap'
import { commandFlags, commandNames, type CommandName } from '../../src/cli/command-words.ts'
import { exitCodes } from '../../src/cli/exit-codes.ts'
import { help } from '../../src/cli/help.ts'
import { parseCommandLine } from '../../src/cli/options.ts'
import { variables } from '../../src/cli/settings.ts'
import { wireWords } from '../../src/serve/reply.ts'

/** `--port` and the like as the page lists them, at the beginning of a line. */
const listed = (page: string): readonly string[] =>
  Array.from(page.matchAll(/^ {2}(?:-\S, )?--([a-z-]+)/gm), ([, name = '']) => name)

const namesOf = (command: CommandName): readonly string[] =>
  commandFlags[command].map(flag => flag.replace(/^.*--([a-z-]+).*$/, '$1'))

for (const command of commandNames) {
  t.test(`the page of ${command} lists its options, each of them once and no other`, async t => {
    t.strictSame(listed(help[command]).toSorted(), namesOf(command).toSorted())
  })
}

t.test('pages fit a terminal and end with a line feed', async t => {
  for (const [name, page] of Object.entries(help)) {
    for (const line of page.split('\n')) t.ok(line.length <= 80, `${name}: ${line}`)
    t.match(page, /\S\n$/)
    t.notMatch(page, / \n/, 'nothing trails')
  }
})

t.test('pages tell the exit codes', async t => {
  for (const page of Object.values(help)) t.match(page, /^Exit codes:$/m)
  for (const page of [help.program, help.status, help.query]) {
    t.match(page, new RegExp(`^ +${exitCodes.primary} +primary`, 'm'))
    t.match(page, new RegExp(`^ +${exitCodes.standby} +standby`, 'm'))
    t.match(page, new RegExp(`^ +${exitCodes.unavailable} +unavailable`, 'm'))
    t.match(page, new RegExp(`^ +${exitCodes.couldNotLook} +(could not look|wrong usage)`, 'm'))
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
  const { options } = parsed.fact
  const stated = Array.from(
    help.serve.matchAll(/--([a-z-]+)(?:(?!\n {2}-|\n\n)[^])*?\(default: ([^);]+)/g),
    ([, name, value]) => [name, value] as const,
  )
  t.strictSame(Object.fromEntries(stated), {
    'control-check': options.controlCheck,
    'pg-controldata': "of the server's version, else in PATH",
    port: String(options.port),
    bind: 'all of this host',
    'when-unavailable': options.whenUnavailable,
    interval: String(options.intervalMs),
    lease: `${options.leaseMs / options.intervalMs} intervals`,
    'log-level': options.logLevel,
    'log-format': options.logFormat,
  })
  const query = parseCommandLine(['query'], {})
  if (!query.ok || query.fact.command !== 'query') throw new Error('no query')
  t.match(help.query, `(default: ${query.fact.options.timeoutMs})`)
  const [target] = query.fact.options.targets
  t.match(help.query, `(default: ${target?.host}:${target?.port})`)
})

t.test('what the help says of the environment is so', async t => {
  for (const name of namesOf('serve')) {
    const known = name === 'help' || variables[name as keyof typeof variables] !== null
    t.ok(known, name)
  }
  const ofStatus = namesOf('status')
    .map(name => variables[name as keyof typeof variables])
    .filter(variable => variable !== null)
  for (const variable of ofStatus) t.match(help.status, variable)
})
