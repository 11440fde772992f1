import * as fc from 'fast-check'
import t from 'tap'
import {
  because,
  describeControlFault,
  laterTimeline,
  timelineOf,
} from '../../../src/facts/decide/reason.ts'
import { decodeControlDataReport } from '../../../src/facts/decode/pg-controldata-report.ts'
import type { Evidence } from '../../../src/facts/decide/evidence.ts'
import type { Rule } from '../../../src/facts/decide/rules.ts'
import type { TimelineId } from '../../../src/facts/units.ts'
import { decide } from '../../../src/facts/decide/verdict.ts'
import { anyEvidence } from '../../harness/any-evidence.ts'
import {
  alive,
  child,
  children,
  controlFile,
  lockFile,
  newerControlFile,
  noon,
  primaryEvidence,
  seen,
} from '../../harness/evidence.ts'
import { assertOneLine } from '../../harness/foreign-text.ts'

const fault = { source: 'native', fault: { kind: 'wrong byte order' } } as const
const damaged = { kind: 'invalid', fault, modified: noon } as const

type Case = readonly [rule: Rule, changes: Partial<Evidence>, text: string | RegExp]
const cases: readonly Case[] = [
  ['no data directory', {}, '/pgdata does not exist'],
  ['not a directory', {}, '/pgdata is not a directory'],
  [
    'data directory unreadable',
    { directory: { kind: 'unreadable', code: 'EACCES', owner: null } },
    'could not read /pgdata: EACCES',
  ],
  ['no lock file', {}, 'no postmaster.pid in /pgdata: no server is running'],
  [
    'lock file unreadable',
    { lockFile: { kind: 'unreadable', code: 'EIO' } },
    'could not read postmaster.pid: EIO',
  ],
  [
    'lock file invalid',
    {
      lockFile: {
        kind: 'invalid',
        fault: { kind: 'bad line', line: 1, length: 1 },
        modified: noon,
      },
    },
    /^invalid postmaster\.pid: .*line 1/,
  ],
  ['single-user', {}, 'a single-user backend, pid 4711, is using the data directory'],
  [
    'postmaster gone',
    { postmaster: { kind: 'gone' } },
    'stale postmaster.pid: process 4711 does not exist',
  ],
  [
    'postmaster gone',
    { postmaster: { kind: 'zombie' } },
    'stale postmaster.pid: process 4711 is a zombie',
  ],
  [
    'not the postmaster',
    { postmaster: { kind: 'not the postmaster', because: 'it is sshd' } },
    'process 4711 in postmaster.pid is not the postmaster: it is sshd',
  ],
  [
    'not the postmaster',
    { postmaster: { ...alive, isServer: false } },
    'process 4711 in postmaster.pid is not the postmaster: it is not a PostgreSQL program and has no checkpointer',
  ],
  [
    'postmaster invisible',
    {},
    /^process 4711 in postmaster\.pid is not visible in \/proc: hidepid/,
  ],
  [
    'postmaster stopped',
    { postmaster: { kind: 'stopped', by: 'signal' } },
    'postmaster pid 4711 is stopped (SIGSTOP)',
  ],
  [
    'postmaster stopped',
    { postmaster: { kind: 'stopped', by: 'freezer' } },
    'postmaster pid 4711 is frozen by its control group (docker pause, systemctl freeze)',
  ],
  [
    'postmaster stopped',
    { postmaster: { kind: 'stopped', by: 'tracer' } },
    'postmaster pid 4711 is stopped by a debugger',
  ],
  ['binary upgrade', {}, 'postmaster pid 4711 was started by pg_upgrade (postgres -b)'],
  [
    'lock file incomplete',
    { lockFile: seen(lockFile({ lineCount: 5 })) },
    'postmaster.pid is incomplete: 5 lines so far',
  ],
  [
    'lock file incomplete',
    { lockFile: { kind: 'invalid', fault: { kind: 'empty' }, modified: noon } },
    'postmaster.pid is incomplete: it is empty',
  ],
  ['starting', {}, 'postmaster pid 4711 is starting: not yet accepting connections'],
  ['stopping', {}, 'postmaster pid 4711 is stopping: no longer accepting connections'],
  ['hot standby off', {}, 'postmaster pid 4711 is in recovery and not accepting connections'],
  ['crash restart', {}, 'postmaster pid 4711 is restarting its children after a crash'],
  [
    'no checkpointer',
    {},
    'postmaster pid 4711 has no checkpointer: a crash restart or the end of the server',
  ],
  [
    'control file unreadable',
    { controlFile: { kind: 'absent' } },
    'cluster state is not available: global/pg_control does not exist',
  ],
  [
    'control file unreadable',
    { controlFile: { kind: 'unreadable', code: 'EIO' } },
    'cluster state is not available: could not read global/pg_control: EIO',
  ],
  [
    'control file unreadable',
    { controlFile: damaged },
    /^cluster state is not available: global\/pg_control: .*byte order/,
  ],
  ['control file unreadable', {}, 'cluster state is not available: in production'],
  [
    'crash recovery',
    {},
    'postmaster pid 4711 is ready, but the cluster state is in crash recovery',
  ],
  [
    'shut down in recovery',
    {},
    'postmaster pid 4711 is ready, but the cluster state is shut down in recovery',
  ],
  ['in production', {}, 'postmaster pid 4711 is ready and the cluster state is in production'],
  [
    'in archive recovery',
    {},
    'postmaster pid 4711 is ready and the cluster state is in archive recovery',
  ],
  ['recovery ending', {}, /startup process at the checkpoint that ends recovery$/],
  ['no recovery requested', {}, /no signal file requests recovery/],
  ['recovery requested', {}, /a signal file requests recovery/],
  ['signal files contradicted', {}, /contradict each other$/],
  [
    'contradiction',
    { controlFile: seen(controlFile({ state: 'shut down' })) },
    'postmaster pid 4711 is ready, the cluster state is shut down, and there is no startup process',
  ],
  [
    'contradiction',
    { children: { kind: 'invisible' } },
    /is in production, and its children are not visible$/,
  ],
  [
    'contradiction',
    { children: children({ startup: children().checkpointer }), controlFile: { kind: 'absent' } },
    /is absent, and a startup process is running$/,
  ],
]

t.test('every row gives its reason with the names and numbers of the case', async t => {
  for (const [rule, changes, text] of cases) {
    t.match(because(rule, primaryEvidence(changes)), text, rule)
  }
})

t.test('a reason is a sentence even where the evidence does not fit the row', async t => {
  const nothing = primaryEvidence({ lockFile: { kind: 'absent' }, postmaster: { kind: 'gone' } })
  t.equal(
    because('starting', nothing),
    'postmaster pid unknown is starting: not yet accepting connections',
  )
  t.match(because('lock file invalid', nothing), /absent$/)
  t.match(because('not the postmaster', nothing), /gone$/)
  t.match(because('postmaster stopped', nothing), /gone$/)
  t.match(because('data directory unreadable', nothing), /present$/)
})

t.test('whatever was found, its reason is one line that does nothing to a terminal', async t => {
  const property = fc.property(anyEvidence, evidence => assertOneLine(decide(evidence).because))
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})

t.test('what went wrong with either source of the cluster state is named after it', async t => {
  t.match(describeControlFault(fault), /^global\/pg_control: /)
  const failed = { kind: 'program failed', message: 'no such file' } as const
  t.equal(
    describeControlFault({ source: 'pg_controldata', fault: failed }),
    'pg_controldata: no such file',
  )
  const report = decodeControlDataReport('')
  const torn = { kind: 'program failed', message: '\x1b[31mno such file' } as const
  t.equal(
    describeControlFault({ source: 'pg_controldata', fault: torn }),
    String.raw`pg_controldata: \u001b[31mno such file`,
  )
  const missing = report.ok ? failed : report.fault
  t.match(
    describeControlFault({ source: 'pg_controldata', fault: missing }),
    /^pg_controldata: its report has no line/,
  )
})

/** A control file with these timelines, beside a startup process with this title or none. */
const onTimelines = (
  [checkpointTimeline, minRecoveryTimeline]: readonly [number, number],
  title?: string,
) =>
  primaryEvidence({
    controlFile: seen(
      controlFile({
        checkpointTimeline: checkpointTimeline as TimelineId,
        minRecoveryTimeline: minRecoveryTimeline as TimelineId,
      }),
    ),
    children: children({ startup: title === undefined ? null : child(title, 4714) }),
  })

t.test('the timeline is the latest in control file and replay', async t => {
  const startup = 'startup recovering 0000001F0000000000000003'
  t.equal(timelineOf(onTimelines([3, 0])), 3, 'a primary')
  t.equal(timelineOf(onTimelines([3, 4])), 4, 'just promoted, before its first checkpoint')
  t.equal(timelineOf(onTimelines([3, 3], startup)), 31, 'a standby that has followed')
  t.equal(timelineOf(onTimelines([32, 3], startup)), 32, 'an old title')
  t.equal(timelineOf(onTimelines([3, 3], `${startup} waiting`)), 31, 'in a recovery conflict')
})

t.test('what is waited for is not replayed, and other titles name no segment', async t => {
  for (const title of [
    'startup waiting for 000000040000000000000003',
    'startup recovering 0000000400000000',
    'startup',
  ]) {
    t.equal(timelineOf(onTimelines([3, 0], title)), 3, title)
  }
  const hidden = onTimelines([3, 0])
  t.equal(timelineOf({ ...hidden, children: { kind: 'invisible' } }), 3)
})

t.test('without a control file, or with one too new, the timeline is not known', async t => {
  t.equal(timelineOf(primaryEvidence({ controlFile: seen(newerControlFile()) })), null)
  t.equal(timelineOf(primaryEvidence({ controlFile: { kind: 'absent' } })), null)
})

t.test('of two timelines one may be unknown', async t => {
  const [three, four] = [3 as TimelineId, 4 as TimelineId]
  t.equal(laterTimeline(null, null), null)
  t.equal(laterTimeline(null, three), three)
  t.equal(laterTimeline(three, null), three)
  t.equal(laterTimeline(three, four), four)
  t.equal(laterTimeline(four, three), four)
})
