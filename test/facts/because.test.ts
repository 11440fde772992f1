import * as fc from 'fast-check'
import t from 'tap'
import {
  because,
  describeControlFault,
  laterTimeline,
  timelineOf,
} from '../../src/facts/because.ts'
import { decodeControlDataReport } from '../../src/facts/control-data-report.ts'
import type { Evidence } from '../../src/facts/evidence.ts'
import type { Rule } from '../../src/facts/rules.ts'
import type { TimelineId } from '../../src/facts/units.ts'
import { decide } from '../../src/facts/verdict.ts'
import { anyEvidence } from '../harness/any-evidence.ts'
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
} from '../harness/evidence.ts'
import { assertOneLine } from '../harness/foreign-text.ts'

const fault = { source: 'native', fault: { kind: 'wrong byte order' } } as const
const damaged = { kind: 'fault', fault, modified: noon } as const

type Case = readonly [rule: Rule, changes: Partial<Evidence>, text: string | RegExp]
const cases: readonly Case[] = [
  ['no data directory', {}, '/pgdata does not exist'],
  ['not a directory', {}, '/pgdata is not a directory'],
  [
    'data directory unreadable',
    { directory: { kind: 'unreadable', code: 'EACCES', owner: null } },
    "/pgdata can't be read (EACCES)",
  ],
  ['no lock file', {}, 'there is no postmaster.pid in /pgdata: no server runs there'],
  [
    'lock file unreadable',
    { lockFile: { kind: 'unreadable', code: 'EIO' } },
    "postmaster.pid can't be read (EIO)",
  ],
  [
    'lock file garbled',
    {
      lockFile: { kind: 'fault', fault: { kind: 'bad line', line: 1, found: 'x' }, modified: noon },
    },
    /^postmaster\.pid makes no sense: .*line 1/,
  ],
  ['single-user', {}, 'a single-user backend, pid 4711, holds the data directory'],
  [
    'postmaster gone',
    { postmaster: { kind: 'gone' } },
    /^postmaster\.pid names pid 4711, and no such/,
  ],
  [
    'postmaster gone',
    { postmaster: { kind: 'zombie' } },
    /^postmaster pid 4711 is dead and not yet/,
  ],
  [
    'postmaster is a stranger',
    { postmaster: { kind: 'stranger', because: 'it is sshd' } },
    'postmaster.pid names pid 4711, which is not its postmaster: it is sshd',
  ],
  [
    'postmaster is a stranger',
    { postmaster: { ...alive, isServer: false } },
    "postmaster.pid names pid 4711, which is not its postmaster: it is none of PostgreSQL's programs and has no checkpointer",
  ],
  [
    'postmaster invisible',
    {},
    /^postmaster\.pid names pid 4711, which \/proc does not show: hidepid/,
  ],
  [
    'postmaster stopped',
    { postmaster: { kind: 'stopped', by: 'signal' } },
    'postmaster pid 4711 is stopped (SIGSTOP): it accepts nobody',
  ],
  [
    'postmaster stopped',
    { postmaster: { kind: 'stopped', by: 'freezer' } },
    'postmaster pid 4711 is frozen by its control group (docker pause, systemctl freeze): ' +
      'it does not respond',
  ],
  [
    'postmaster stopped',
    { postmaster: { kind: 'stopped', by: 'tracer' } },
    'postmaster pid 4711 is held by a debugger',
  ],
  ['binary upgrade', {}, 'postmaster pid 4711 is run by pg_upgrade (postgres -b)'],
  [
    'coming up',
    { lockFile: seen(lockFile({ lineCount: 5 })) },
    'postmaster.pid is still being written: 5 lines so far',
  ],
  [
    'coming up',
    { lockFile: { kind: 'fault', fault: { kind: 'empty' }, modified: noon } },
    'postmaster.pid is still being written: it is empty',
  ],
  ['starting', {}, 'postmaster pid 4711 is starting: it accepts nobody yet'],
  ['stopping', {}, 'postmaster pid 4711 is stopping: it accepts nobody any more'],
  ['hot standby off', {}, 'postmaster pid 4711 is in recovery and accepts nobody meanwhile'],
  ['crash restart', {}, 'postmaster pid 4711 is restarting its children after a crash'],
  ['no checkpointer', {}, 'postmaster pid 4711 has no checkpointer: a crash restart or a death'],
  [
    'control file unreadable',
    { controlFile: { kind: 'absent' } },
    "the cluster state can't be had: there is no global/pg_control",
  ],
  [
    'control file unreadable',
    { controlFile: { kind: 'unreadable', code: 'EIO' } },
    "the cluster state can't be had: global/pg_control can't be read (EIO)",
  ],
  [
    'control file unreadable',
    { controlFile: damaged },
    /^the cluster state can't be had: global\/pg_control: .*byte order/,
  ],
  ['control file unreadable', {}, "the cluster state can't be had: in production"],
  ['crash recovery', {}, 'the control file says in crash recovery under pid 4711'],
  ['ended in recovery', {}, 'the control file says shut down in recovery under pid 4711'],
  ['in production', {}, 'postmaster pid 4711 is ready and the control file says in production'],
  [
    'in archive recovery',
    {},
    'postmaster pid 4711 is ready and the control file says in archive recovery',
  ],
  ['recovery ending', {}, /startup process at the checkpoint that ends recovery$/],
  ['no recovery requested', {}, /no signal file asks for recovery/],
  ['recovery requested', {}, /a signal file asks for recovery/],
  ['signal files contradicted', {}, /contradict each other$/],
  [
    'contradiction',
    { controlFile: seen(controlFile({ state: 'shut down' })) },
    'postmaster pid 4711 is ready, the control file says shut down, and there is no startup process',
  ],
  [
    'contradiction',
    { children: { kind: 'invisible' } },
    /says in production, and its children are not visible$/,
  ],
  [
    'contradiction',
    { children: children({ startup: children().checkpointer }), controlFile: { kind: 'absent' } },
    /says absent, and a startup process is at work$/,
  ],
]

t.test('every row gives its reason with the names and numbers of the case', async t => {
  for (const [rule, changes, text] of cases) {
    t.match(because(rule, primaryEvidence(changes)), text, rule)
  }
})

t.test('a reason is a sentence even where the evidence does not fit the row', async t => {
  const nothing = primaryEvidence({ lockFile: { kind: 'absent' }, postmaster: { kind: 'gone' } })
  t.equal(because('starting', nothing), 'postmaster unknown pid is starting: it accepts nobody yet')
  t.match(because('lock file garbled', nothing), /absent$/)
  t.match(because('postmaster is a stranger', nothing), /gone$/)
  t.match(because('postmaster stopped', nothing), /gone$/)
  t.match(because('data directory unreadable', nothing), /\(seen\)$/)
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
    'pg_controldata: .[31mno such file',
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

t.test('the timeline is the latest that control file and replay know', async t => {
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
