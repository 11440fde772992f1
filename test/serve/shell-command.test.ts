import t from 'tap'
import type { Pid } from '../../src/facts/units.ts'
import { openProcessTable } from '../../src/observe/process-table.ts'
import { livingStat } from '../../src/observe/vital-signs.ts'
import { createShell, type CommandEnd } from '../../src/serve/shell-command.ts'
import { deferred } from '../harness/manual-clock.ts'
import { until, within } from '../harness/until.ts'

const PATH = process.env['PATH'] ?? ''

const run = (command: string, variables: Readonly<Record<string, string>> = {}) => {
  const lines: string[] = []
  const { promise, resolve } = deferred<CommandEnd>()
  let ends = 0
  const shell = createShell({ PATH, OURS: 'ours', NOT: undefined })(command, {
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

t.test('how it ends is told', async t => {
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

t.test('a signal goes to all of it, and to nobody once it has ended', async t => {
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

t.test('whoever escapes and holds the output is given up', async t => {
  const { shell, ended, lines, says, ends } = run('setsid sleep 1000 & echo $!; echo up')
  await says('up')
  shell.abandon()
  t.strictSame(await ended, { kind: 'abandoned' })
  t.equal(ends(), 1)
  process.kill(Number(lines[0]), 'SIGKILL')
})

t.test('a group that is gone already can be signalled', async t => {
  const { shell, ended, lines, says } = run('setsid sleep 1000 & echo $!; echo $$; echo up')
  await says('up')
  const escaped = Number(lines[0])
  const shellPid = Number(lines[1])
  await until(() => processes.open(shellPid as Pid) === 'gone', { what: 'the shell to be reaped' })
  shell.signal('SIGKILL')
  t.equal(lives(escaped), true)
  process.kill(escaped, 'SIGKILL')
  t.match(await ended, { kind: /exited|killed/ })
})

t.test('what can not be started has ended, after a moment', async t => {
  const { shell, ended } = run('echo \0')
  shell.signal('SIGTERM')
  shell.abandon()
  t.match(await ended, { kind: 'not started', code: 'ERR_INVALID_ARG_VALUE' })
  // Larger than any environment may be: the system refuses it.
  const tooLarge = run('true', { LARGE: 'x'.repeat(10_000_000) })
  t.match(await tooLarge.ended, { kind: 'not started', code: 'E2BIG' })
})
