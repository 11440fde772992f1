/**
 * Evidence of whatever strangers, damage and other clocks may leave to be found, put together
 * without regard to what goes with what.
 */
import * as fc from 'fast-check'
import { decodeControlDataReport } from '../../src/facts/decode/pg-controldata-report.ts'
import { clusterStates, decodeControlFile } from '../../src/facts/decode/control-file.ts'
import { controlLayouts } from '../../src/facts/decode/control-layouts.ts'
import type { ControlFault, Evidence } from '../../src/facts/decide/evidence.ts'
import { recognise } from '../../src/facts/decide/identity.ts'
import { decodeLockFile } from '../../src/facts/decode/lock-file.ts'
import type { Outcome } from '../../src/facts/outcome.ts'
import { decodeProcessStat } from '../../src/facts/decode/process-stat.ts'
import type {
  Child,
  ChildrenSighting,
  PostmasterSighting,
} from '../../src/facts/decide/sightings.ts'
import type { Lsn, Pid, Ticks, UnixMs } from '../../src/facts/units.ts'
import { layoutToCome, sealControlFile } from './control-file-builder.ts'
import { alive, directory, lockFile, noon } from './evidence.ts'
import { anyText, damaged } from './foreign-text.ts'
import { anyHistory } from './timelines.ts'

/** Also years before any server and after any calendar. */
const anyTime = fc.oneof(fc.constant(noon), fc.integer(), fc.double({ noNaN: true }))
const time = anyTime.map(ms => ms as UnixMs)

const errorCode = fc.constantFrom('EACCES', 'EIO', 'not a regular file')
const absent = fc.constant({ kind: 'absent' } as const)
const unreadable = errorCode.map(code => ({ kind: 'unreadable', code }) as const)

const decoded = <Fact, Fault>(outcome: fc.Arbitrary<Outcome<Fact, Fault>>) =>
  fc
    .tuple(outcome, time)
    .map(([found, modified]) =>
      found.ok
        ? ({ kind: 'present', fact: found.fact, modified } as const)
        : ({ kind: 'invalid', fault: found.fault, modified } as const),
    )

const lockFileText = ['4711', '/pgdata', '1767265200', '5432', '', '*', ' 1234 7', 'ready   ', '']
const anyLockFile: fc.Arbitrary<Evidence['lockFile']> = fc.oneof(
  absent,
  unreadable,
  fc.constant({ kind: 'present', fact: lockFile(), modified: noon } as const),
  decoded(fc.oneof(damaged(lockFileText.join('\n')), anyText).map(decodeLockFile)),
)

/** With a right checksum or without, of any version. */
const anyControlBytes = fc
  .tuple(
    fc.constantFrom(...controlLayouts, layoutToCome),
    fc.uint8Array({ maxLength: 600 }),
    fc.nat(9),
  )
  .map(([layout, content, state]) => {
    if (state >= clusterStates.length) return content
    const bytes = sealControlFile(layout, content)
    bytes[16] = state
    bytes.fill(0, 17, 20)
    return sealControlFile(layout, bytes)
  })

const faultOf = (source: 'native' | 'pg_controldata', fault: unknown): ControlFault =>
  ({ source, fault }) as ControlFault

const anyControlFile: fc.Arbitrary<Evidence['controlFile']> = fc.oneof(
  absent,
  unreadable,
  decoded(
    anyControlBytes
      .map(decodeControlFile)
      .map(outcome =>
        outcome.ok ? outcome : { ok: false, fault: faultOf('native', outcome.fault) },
      ),
  ),
  decoded(
    anyText
      .map(decodeControlDataReport)
      .map(outcome =>
        outcome.ok ? outcome : { ok: false, fault: faultOf('pg_controldata', outcome.fault) },
      ),
  ),
  anyText.map(message => ({
    kind: 'invalid' as const,
    fault: faultOf('pg_controldata', { kind: 'program failed', message }),
    modified: noon,
  })),
)

const numbers = '4711 4711 0 -1 4194560 3085 21 0 2 1 2 0 0 20 0 1 0 987654 0'
/** Somebody with the pid of the lock file, who may call himself what he likes. */
const anybody: fc.Arbitrary<PostmasterSighting> = fc
  .record({
    comm: anyText,
    program: fc.option(anyText),
    startedAt: time,
    createdSharedMemory: fc.boolean(),
    dataDirectory: fc.option(fc.oneof(fc.constant('/pgdata'), anyText)),
    binaryUpgrade: fc.boolean(),
  })
  .map(({ comm, ...traits }) => {
    const stat = decodeProcessStat(`4711 (${comm}) S 1 ${numbers}\n`)
    const claim = { lockFile: lockFile(), directoryInode: '1:2' }
    return stat.ok
      ? recognise({ ...traits, stat: stat.fact, workingDirectory: null, ours: true }, claim)
      : { kind: 'gone' }
  })

const anyPostmaster: fc.Arbitrary<PostmasterSighting> = fc.oneof(
  anybody,
  fc.constantFrom<PostmasterSighting>(
    alive,
    { kind: 'not checked' },
    { kind: 'gone' },
    { kind: 'zombie' },
    { kind: 'stopped', by: 'signal' },
    { kind: 'stopped', by: 'tracer' },
    { kind: 'stopped', by: 'freezer' },
    { kind: 'invisible' },
    { kind: 'signal 0', createdSharedMemory: false },
    { kind: 'signal 0', createdSharedMemory: true },
  ),
)

const anyChild: fc.Arbitrary<Child | null> = fc.option(
  fc.record({
    pid: fc.integer({ min: 1, max: 0x40_0000 }).map(pid => pid as Pid),
    started: fc.nat().map(ticks => ticks as Ticks),
    startedAt: time,
    title: anyText,
  }),
)

const anyChildren: fc.Arbitrary<ChildrenSighting> = fc.oneof(
  fc.constantFrom<ChildrenSighting>({ kind: 'not checked' }, { kind: 'invisible' }),
  fc.record({
    kind: fc.constant('present' as const),
    startup: anyChild,
    checkpointer: anyChild,
    walwriter: anyChild,
    walreceiver: anyChild,
    session: anyChild,
    titlesIncomplete: fc.boolean(),
    startupUndecided: fc.boolean(),
  }),
)

const anyDirectory: fc.Arbitrary<Evidence['directory']> = fc.oneof(
  { weight: 6, arbitrary: fc.option(anyText).map(directory) },
  absent,
  fc.constant({ kind: 'not a directory' } as const),
  errorCode.map(code => ({ kind: 'unreadable', code, owner: null }) as const),
)

export const anyEvidence: fc.Arbitrary<Evidence> = fc.record({
  controlCheck: fc.constantFrom('native', 'pg_controldata', 'off'),
  path: fc.constant('/pgdata'),
  directory: anyDirectory,
  lockFile: anyLockFile,
  postmaster: anyPostmaster,
  children: anyChildren,
  controlFile: anyControlFile,
  signalFiles: fc.record({
    standbySignal: fc.boolean(),
    recoverySignal: fc.boolean(),
    recoveryConf: fc.option(fc.record({ standbyMode: fc.boolean() })),
    backupLabel: fc.boolean(),
  }),
  promotion: fc.constantFrom('not checked', 'being checked', 'none', 'under way'),
  timelineHistory: fc.oneof(
    fc.constantFrom({ kind: 'not checked' } as const, { kind: 'being read' } as const),
    anyText.map(because => ({ kind: 'unknown', because }) as const),
    anyHistory.map(history => ({ kind: 'present', fact: history }) as const),
  ),
  walPosition: fc.option(fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }).map(at => at as Lsn)),
  crashRestart: fc.boolean(),
})
