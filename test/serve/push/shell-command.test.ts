import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Pid } from '../../../src/facts/units.ts'
import { openProcessTable } from '../../../src/observe/processes/process-table.ts'
import { livingStat } from '../../../src/observe/processes/liveness.ts'
import { createShell, type CommandEnd } from '../../../src/serve/push/shell-command.ts'
import { deferred } from '../../harness/manual-clock.ts'
import { until, within } from '../../harness/until.ts'
import { withoutDescriptors } from '../../harness/without-descriptors.ts'

const PATH = process.env['PATH'] ?? ''

const run = (
  command: string,
  variables: Readonly<Record<string, string>> = {},
  scorePath?: string,
) => {
  const lines: string[] = []
  const { promise, resolve } = deferred<CommandEnd>()
  let ends = 0
  const shell = createShell({ PATH, OURS: 'ours', NOT: undefined }, scorePath)(command, {
    variables,
    line: text => {
      lines.push(text)
    },
    ended: end => {
      ends += 1
      resolve(end)
    },
  })
  const ended = within(promise, { what: `the end of ${command}` })
  const says = (line: string) => until(() => lines.includes(line), { what: line })
  return { shell, lines, ended, says, ends: () => ends }
}

const processes = openProcessTable()
const lives = (pid: number): boolean => {
  const handle = processes.open(pid as Pid)
  if (typeof handle === 'string') return false
  const stat = livingStat(handle)
  handle.close()
  return stat !== null
}

t.test('the shell runs it, in our environment and its own', async t => {
  const { ended, lines } = run('echo "$OURS $ROLE"; echo to stderr >&2', { ROLE: 'primary' })
  t.strictSame(await ended, { kind: 'exited', code: 0 })
  t.strictSame(lines.toSorted(), ['ours primary', 'to stderr'])
})

t.test('with no variable, argument or name but its own', async t => {
  const command = 'echo "$0 $# $score"; cat /proc/$$/cmdline | tr "\\0" " "'
  const { ended, lines } = run(command, { score: 'theirs' })
  t.strictSame(await ended, { kind: 'exited', code: 0 })
  t.strictSame(lines, ['/bin/sh 0 theirs', `/bin/sh -c ${command} `])
})

t.test('it does not inherit what keeps us from being killed where memory runs out', async t => {
  const folder = t.testdir({ score: '' })
  const path = join(folder, 'score')
  const scores: readonly (readonly [before: string, after: string])[] = [
    ['-900\n', '0\n'],
    ['-1\n', '0\n'],
    ['0\n', '0\n'],
    ['700\n', '700\n'],
  ]
  for (const [before, after] of scores) {
    writeFileSync(path, before)
    const { ended, lines } = run('echo up', {}, path)
    t.strictSame(await ended, { kind: 'exited', code: 0 })
    t.strictSame(lines, ['up'])
    t.equal(readFileSync(path, 'utf8'), after)
  }
})

t.test('if that is not possible, it runs all the same, and nothing is reported', async t => {
  const { ended, lines } = run('echo up', {}, '/proc/no/such')
  t.strictSame(await ended, { kind: 'exited', code: 0 })
  t.strictSame(lines, ['up'])
})

t.test('its end is reported', async t => {
  t.strictSame(await run('exit 7').ended, { kind: 'exited', code: 7 })
  t.strictSame(await run('kill -SEGV $$').ended, { kind: 'killed', signal: 'SIGSEGV' })
})

t.test('its output comes line by line, cut where it is too long', async t => {
  const { ended, lines } = run(
    "printf 'one\\ntw'; printf 'o\\n\\n'; head -c 100000 /dev/zero | tr '\\0' x; echo; printf end",
  )
  await ended
  t.strictSame(lines, ['one', 'two', '', 'x'.repeat(500), 'end'])
})

t.test('a signal goes to all of it, and to no process once it has ended', async t => {
  const { shell, ended, lines, says } = run('sleep 1000 & echo $!; echo up; wait')
  await says('up')
  const pid = Number(lines[0])
  t.ok(lives(pid))
  shell.signal('SIGTERM')
  t.strictSame(await ended, { kind: 'killed', signal: 'SIGTERM' })
  t.notOk(lives(pid))
  shell.signal('SIGKILL')
})

t.test('a child that holds the output belongs to it', async t => {
  const { shell, ended, says } = run('trap "" TERM; sleep 1000 & echo up')
  await says('up')
  shell.signal('SIGTERM')
  shell.signal('SIGKILL')
  t.match(await ended, { kind: /exited|killed/ })
})

t.test('a child that escapes and holds the output is given up', async t => {
  const { shell, ended, lines, says, ends } = run('setsid sleep 1000 & echo $!; echo up')
  await says('up')
  shell.abandon()
  t.strictSame(await ended, { kind: 'abandoned' })
  t.equal(ends(), 1)
  process.kill(Number(lines[0]), 'SIGKILL')
})

t.test('a group that is gone already can be signalled', async t => {
  // The child writes its line once it has left the group: until then a signal would reach it.
  const { shell, ended, lines } = run(
    "setsid sh -c 'echo escaped $$; exec sleep 1000' & echo shell $$",
  )
  await until(() => lines.length === 2, { what: 'both processes' })
  const [escaped, shellPid] = lines.toSorted().map(line => Number(line.split(' ')[1]))
  if (escaped === undefined || shellPid === undefined) throw new Error('two lines are expected')
  await until(() => processes.open(shellPid as Pid) === 'gone', { what: 'the shell to be reaped' })
  shell.signal('SIGKILL')
  t.equal(lives(escaped), true)
  process.kill(escaped, 'SIGKILL')
  t.match(await ended, { kind: /exited|killed/ })
})

t.test('what cannot be started has ended, after a moment', async t => {
  const { shell, ended } = run('echo \0')
  shell.signal('SIGTERM')
  shell.abandon()
  t.match(await ended, { kind: 'not started', code: 'ERR_INVALID_ARG_VALUE' })
  // Larger than any environment may be: the system refuses it.
  const tooLarge = run('true', { LARGE: 'x'.repeat(10_000_000) })
  t.match(await tooLarge.ended, { kind: 'not started', code: 'E2BIG' })
})

t.test('without descriptors it has ended, after a moment', async t => {
  const { shell, ended, lines } = await withoutDescriptors(() => run('echo up'))
  shell.signal('SIGTERM')
  shell.abandon()
  t.match(await ended, { kind: /abandoned|not started/ })
  const again = await withoutDescriptors(() => run('echo up'))
  t.strictSame(await again.ended, { kind: 'not started', code: 'EMFILE' })
  t.strictSame(lines, [])
  t.strictSame(await run('true').ended, { kind: 'exited', code: 0 })
})
