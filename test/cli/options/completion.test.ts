import { execFileSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { bashCompletion } from '../../../src/cli/options/completion.ts'
import { optionsOf } from '../../../src/cli/options/option-list.ts'
import { commandNames } from '../../../src/cli/options/option-spec.ts'
import { parseCommandLine } from '../../../src/cli/options/command-line.ts'

/** What a real bash proposes for the last of the words, in an empty folder if not in this one. */
const complete = (t: Test, words: readonly string[], cwd = t.testdir()): readonly string[] => {
  const script = `${bashCompletion()}
COMP_WORDS=(pg-replstatus "$@")
COMP_CWORD=$#
$(complete -p pg-replstatus | sed 's/.*-F \\([^ ]*\\) .*/\\1/')
printf '%s\\n' "\${COMPREPLY[@]}"`
  const answer = execFileSync('bash', ['--norc', '-uc', script, 'bash', ...words], {
    cwd,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'] ?? '', LC_ALL: 'C' },
  })
  return answer.split('\n').filter(line => line !== '')
}

const optionWords = (command: (typeof commandNames)[number]): readonly string[] =>
  optionsOf(command).flatMap(([name, { short }]) => {
    if (name === 'newline' || name === 'wait') return [`--${name}`, `--no-${name}`]
    return short === undefined ? [`--${name}`] : [`-${short}`, `--${name}`]
  })

t.test('commands come first', async t => {
  t.strictSame(complete(t, ['']), commandNames)
  t.strictSame(complete(t, ['st']), ['status'])
  t.strictSame(complete(t, ['nothing-like-it']), [])
})

t.test('options are those of the command, which is serve when none is named', async t => {
  for (const command of commandNames) {
    const also = command === 'serve' ? ['-V', '--version'] : []
    t.strictSame(complete(t, [command, '-']), [...optionWords(command), ...also])
  }
  t.strictSame(complete(t, ['--when-u']), ['--when-unavailable'])
  t.strictSame(complete(t, ['--newline', '--when-u']), ['--when-unavailable'])
  t.strictSame(complete(t, ['status', '--j']), ['--json'])
})

t.test('values of an option, after a blank or =', async t => {
  t.strictSame(complete(t, ['--control-check', '']), ['native', 'pg_controldata', 'off'])
  t.strictSame(complete(t, ['status', '--expect', 's']), ['standby'])
  t.strictSame(complete(t, ['--log-format', '=']), ['text', 'json'])
  t.strictSame(complete(t, ['--log-format', '=', 'j']), ['json'])
  t.strictSame(complete(t, ['--port', '']), [], 'nobody knows which')
})

t.test('directories for the data directory, and files for a program', async t => {
  const folder = t.testdir()
  mkdirSync(join(folder, 'main data'))
  writeFileSync(join(folder, 'main.conf'), '')
  t.strictSame(complete(t, ['-D', 'ma'], folder), ['main data'])
  t.strictSame(complete(t, ['status', '--pgdata', '=', 'ma'], folder), ['main data'])
  const files = complete(t, ['--pg-controldata', 'ma'], folder)
  t.strictSame(files.toSorted(), ['main data', 'main.conf'])
})

t.test('names of hosts to ask', async t => {
  t.ok(complete(t, ['query', 'localh']).includes('localhost'))
  t.ok(complete(t, ['cluster', 'localh']).includes('localhost'))
})

t.test('all words are proposed that an option accepts, and no others', async t => {
  for (const command of ['serve', 'status'] as const) {
    for (const [name, { value, words = [] }] of optionsOf(command)) {
      if (value === undefined) continue
      const parsed = parseCommandLine([command, '-D', '/data', `--${name}`, '\t'], {})
      const refusal = parsed.ok ? '' : (parsed.fault[0]?.message ?? '')
      const [, accepted = ''] = / must be ((?:\w+, )*\w+ or \w+), but/.exec(refusal) ?? []
      t.strictSame(words, accepted.split(/, | or /).filter(Boolean), name)
    }
  }
})
