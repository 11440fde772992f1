import t from 'tap'
import type { Change, Event } from '../../../src/facts/report/event.ts'
import { noMaintenance } from '../../../src/facts/decide/maintenance-mode.ts'
import { currentVerdict } from '../../../src/facts/decide/snapshot.ts'
import type { MonotonicMs, Pid, TimelineId } from '../../../src/facts/units.ts'
import { decide, type Verdict } from '../../../src/facts/decide/verdict.ts'
import { createChangeCommand, retryMs } from '../../../src/serve/push/change-command.ts'
import type { StartShellCommand } from '../../../src/serve/push/shell-command.ts'
import { noon, primaryEvidence, standbyEvidence } from '../../harness/evidence.ts'
import { createManualTimers } from '../../harness/manual-timers.ts'

const primary = decide(primaryEvidence())
const standby = decide(standbyEvidence())
const down = decide(primaryEvidence({ lockFile: { kind: 'absent' } }))
const stopping = decide(primaryEvidence({ postmaster: { kind: 'gone' } }))
const notLookedYet = currentVerdict(null, {
  now: 0 as MonotonicMs,
  leaseMs: 1500,
  pulse: { kind: 'steady' },
  maintenance: noMaintenance,
})
const change = (from: Verdict | null, to: Verdict): Change => ({
  at: noon,
  from,
  to,
  postmaster: 4711 as Pid,
  timeline: 3 as TimelineId,
})

/** Commands that run for as long as the test wants. */
const setUp = () => {
  const manual = createManualTimers()
  const runs: (Parameters<StartShellCommand>[1] & { readonly command: string })[] = []
  const signals: string[] = []
  const events: Event[] = []
  const changeCommand = createChangeCommand({
    command: 'tell',
    pgdata: '/pgdata',
    start: (command, needs) => {
      const run = { command, ...needs }
      runs.push(run)
      return {
        signal: name => {
          signals.push(name)
        },
        abandon: () => run.ended({ kind: 'abandoned' }),
      }
    },
    timers: manual.timers,
    report: event => {
      events.push(event)
    },
  })
  const roles = () => runs.map(({ variables }) => variables['PG_REPLSTATUS_ROLE'])
  const last = () => {
    const run = runs.at(-1)
    if (run === undefined) throw new Error('nothing runs')
    return run
  }
  return { ...manual, ...changeCommand, runs, roles, last, signals, events }
}

t.test('the command gets a change in its environment', async t => {
  const { changed, advance, runs, roles, last, events, pending } = setUp()
  changed(change(standby, primary))
  t.equal(runs.length, 0, 'after whoever asks at this moment')
  advance(0)
  t.strictSame(roles(), ['primary'])
  t.match(last(), {
    command: 'tell',
    variables: { PG_REPLSTATUS_FROM: 'standby', PG_REPLSTATUS_PGDATA: '/pgdata' },
  })
  last().ended({ kind: 'exited', code: 0 })
  t.strictSame(events, [])
  t.equal(pending(), 0)
})

t.test('it runs for the first verdict, and not for another reason', async t => {
  const { changed, advance, roles } = setUp()
  changed(change(null, notLookedYet))
  advance(0)
  t.strictSame(roles(), [])
  changed(change(notLookedYet, down))
  advance(0)
  t.strictSame(roles(), ['unavailable'])
  changed(change(down, stopping))
  advance(0)
  t.strictSame(roles(), ['unavailable'])
  const other = setUp()
  other.changed(change(null, standby))
  other.advance(0)
  t.strictSame(other.roles(), ['standby'])
})

t.test('one at a time, and of those that wait the last', async t => {
  const { changed, advance, roles, last } = setUp()
  changed(change(null, standby))
  advance(0)
  changed(change(standby, down))
  changed(change(down, standby))
  changed(change(standby, primary))
  advance(5000)
  t.strictSame(roles(), ['standby'])
  last().ended({ kind: 'exited', code: 0 })
  t.strictSame(roles(), ['standby', 'primary'])
  last().ended({ kind: 'exited', code: 0 })
  advance(60_000)
  t.strictSame(roles(), ['standby', 'primary'])
})

t.test('two changes at once are one', async t => {
  const { changed, advance, roles } = setUp()
  changed(change(null, down))
  changed(change(down, primary))
  advance(0)
  t.strictSame(roles(), ['primary'])
})

t.test('a command that takes too long gets SIGTERM, then SIGKILL, and is given up', async t => {
  const { changed, advance, signals, events, roles, pending } = setUp()
  changed(change(null, primary))
  advance(0)
  advance(9999)
  t.strictSame(signals, [])
  advance(1)
  t.strictSame(signals, ['SIGTERM'])
  changed(change(primary, down))
  advance(1000)
  t.strictSame(signals, ['SIGTERM', 'SIGKILL'])
  t.strictSame(roles(), ['primary'])
  advance(1000)
  t.strictSame(events, [
    { kind: 'command failed', because: 'its output is still open, after more than 10 s' },
  ])
  t.strictSame(roles(), ['primary', 'unavailable'])
  t.equal(pending(), 1)
})

t.test('its failure is reported', async t => {
  for (const [end, because] of [
    [{ kind: 'exited', code: 3 }, 'exit code 3'],
    [{ kind: 'killed', signal: 'SIGSEGV' }, 'killed by SIGSEGV'],
    [{ kind: 'not started', code: 'EAGAIN' }, '/bin/sh did not start (EAGAIN)'],
  ] as const) {
    const { changed, advance, last, events } = setUp()
    changed(change(null, primary))
    advance(0)
    last().ended(end)
    t.strictSame(events, [{ kind: 'command failed', because }])
  }
  const { changed, advance, last, events } = setUp()
  changed(change(null, primary))
  advance(0)
  advance(10_000)
  last().ended({ kind: 'exited', code: 0 })
  t.match(events, [{ because: 'exit code 0, after more than 10 s' }])
})

t.test('its output is reported, up to a limit', async t => {
  const { changed, advance, last, events } = setUp()
  changed(change(null, primary))
  advance(0)
  for (let count = 1; count <= 25; count += 1) last().line(`line ${count}`)
  last().ended({ kind: 'exited', code: 0 })
  t.equal(events.length, 21)
  t.strictSame(events[0], { kind: 'command output', line: 'line 1' })
  t.strictSame(events.at(-1), { kind: 'command output', line: '... and 5 more lines' })
})

t.test('at the end it is killed, and nothing runs any more', async t => {
  const { changed, advance, last, destroy, signals, roles, pending } = setUp()
  changed(change(null, primary))
  advance(0)
  changed(change(primary, down))
  destroy()
  t.strictSame(signals, ['SIGKILL'])
  last().ended({ kind: 'killed', signal: 'SIGKILL' })
  advance(60_000)
  t.strictSame(roles(), ['primary'])
  t.equal(pending(), 0)
  const idle = setUp()
  idle.changed(change(null, primary))
  idle.destroy()
  idle.advance(1000)
  t.strictSame(idle.roles(), [])
})

t.test('a command that could not be started for lack of descriptors is retried', async t => {
  const { changed, advance, last, events, roles, pending } = setUp()
  changed(change(null, primary))
  advance(0)
  for (const code of ['EMFILE', 'ENFILE', 'EAGAIN', 'ENOMEM']) {
    last().ended({ kind: 'not started', code })
    t.equal(pending(), 1)
    advance(retryMs)
  }
  t.strictSame(roles(), Array<string>(5).fill('primary'))
  t.strictSame(
    events,
    [{ kind: 'command failed', because: '/bin/sh did not start (EMFILE)' }],
    'told once',
  )
  last().ended({ kind: 'exited', code: 0 })
  t.equal(pending(), 0)
  changed(change(primary, down))
  advance(0)
  last().ended({ kind: 'not started', code: 'EMFILE' })
  t.equal(events.length, 2, 'that is another change')
})

t.test('a newer change takes its place', async t => {
  const { changed, advance, last, roles } = setUp()
  changed(change(null, standby))
  advance(0)
  last().ended({ kind: 'not started', code: 'EMFILE' })
  changed(change(standby, primary))
  advance(retryMs)
  t.strictSame(roles(), ['standby', 'primary'])
  changed(change(primary, down))
  last().ended({ kind: 'not started', code: 'EMFILE' })
  t.strictSame(roles(), ['standby', 'primary', 'unavailable'], 'at once')
})

t.test('what can never be started is not tried again', async t => {
  const { changed, advance, last, roles, pending } = setUp()
  changed(change(null, primary))
  advance(0)
  last().ended({ kind: 'not started', code: 'ENOENT' })
  t.equal(pending(), 0)
  advance(60_000)
  t.strictSame(roles(), ['primary'])
})
