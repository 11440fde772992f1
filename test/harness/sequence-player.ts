/**
 * Puts a monitor through a sequence of looks. Whenever it says primary or standby, the last look
 * that has ended must justify it, must be young enough, and must be of processes that still live.
 */
import assert from 'node:assert'
import type { Evidence } from '../../src/facts/decide/evidence.ts'
import { remember, weighDoubt, type RestartMemory } from '../../src/facts/decide/crash-restart.ts'
import type { Verdict } from '../../src/facts/decide/verdict.ts'
import { pause, type Clock } from '../../src/observe/system/clock.ts'
import { noMaintenance } from '../../src/facts/decide/maintenance-mode.ts'
import { unopposed } from '../../src/facts/decide/standing.ts'
import { startMonitor } from '../../src/observe/monitor.ts'
import type { Probe } from '../../src/observe/probe.ts'
import { noVitalSigns, type VitalSigns } from '../../src/observe/processes/liveness.ts'
import { primaryEvidence } from './evidence.ts'
import type { FakeProcess } from './fake-processes.ts'
import { lookChanges } from './look-changes.ts'
import { longestLookMs, type Pace, type Step } from './look-sequence.ts'
import { createManualClock, deferred, settle } from './manual-clock.ts'
import { justifiedRole } from './serving-oracle.ts'
import { createVitalBodies } from './vital-bodies.ts'

const intervalMs = 500
const leaseMs = 1500
const sliceMs = 5

/** `bodies` are the processes it holds. */
type Beginning = {
  readonly evidence: Evidence
  readonly vitals: VitalSigns
  readonly bodies: readonly FakeProcess[]
}
type Finished = Beginning & { readonly began: number }

/**
 * Plays the steps, and in the end lets a healthy primary be found. Resolves to how many answers
 * were given; rejects with what was wrong about the first wrong one.
 */
export const playSequence = async (steps: readonly Step[]): Promise<number> => {
  const stage = createStage()
  for (const next of steps) {
    await take(stage, next)
    assert.deepStrictEqual(stage.complaints, [])
  }
  stage.find(() => primaryEvidence())
  stage.bodies.meet('postmaster', 'replaced')
  stage.bodies.meet('checkpointer', 'replaced')
  stage.probe.setPace(0)
  stage.probe.release()
  await pass(stage, longestLookMs + intervalMs + 2 * sliceMs)
  const verdict = stage.ask()
  stage.monitor.close()
  assert.deepStrictEqual(stage.complaints, [])
  assert.equal(verdict.kind === 'available' && verdict.role, 'primary', verdict.because)
  return stage.answers()
}

type Hints = Parameters<Parameters<typeof startMonitor>[0]['watch']>[0]

const createStage = () => {
  const manual = createManualClock()
  const bodies = createVitalBodies(manual.now)
  const complaints: string[] = []
  let finds = primaryEvidence()
  let answers = 0

  const probe = createMadeUpProbe({
    clock: manual.clock,
    begin: () => beginLook(finds, bodies),
    overlapping: () => complaints.push('two looks at once'),
  })
  const judge = (verdict: Verdict): void => {
    if (verdict.kind === 'unavailable') return
    answers += 1
    const said = `${verdict.role} (${verdict.rule})`
    const justified = justifiedRole(probe.finished.map(({ evidence }) => evidence))
    if (verdict.role !== justified) complaints.push(`${said}, justified is ${justified}`)
    const last = probe.finished.at(-1)
    if (last === undefined) return
    const ageMs = manual.now() - last.began
    if (ageMs > leaseMs) complaints.push(`${said} after ${ageMs} ms`)
    if (last.bodies.some(bodies.isKnownIll)) complaints.push(`${said} for the dead`)
  }

  let hints: Hints | undefined
  const monitor = startMonitor({
    probe,
    clock: manual.clock,
    watch: given => {
      hints = given
      return { aim: () => {}, close: () => {} }
    },
    intervalMs,
    leaseMs,
    maintenance: () => noMaintenance,
    heedPeers: () => unopposed,
    report: () => {},
    changed: judge,
  })
  return {
    ...manual,
    monitor,
    probe,
    bodies,
    complaints,
    answers: () => answers,
    hints: hints as Hints,
    find: (change: (before: Evidence) => Partial<Evidence>): void => {
      finds = { ...finds, ...change(finds) }
    },
    ask: (): Verdict => {
      const verdict = monitor.current()
      judge(verdict)
      return verdict
    },
  }
}
type Stage = ReturnType<typeof createStage>

const pass = async ({ advance }: Stage, ms: number): Promise<void> => {
  await settle()
  for (let left = ms; left > 0; left -= sliceMs) {
    advance(Math.min(left, sliceMs))
    await settle()
  }
}

const take = async (stage: Stage, next: Step): Promise<void> => {
  switch (next.kind) {
    case 'change':
      return stage.find(before => lookChanges[next.to]?.(before) ?? {})
    case 'pace':
      return stage.probe.setPace(next.pace)
    case 'release':
      stage.probe.release()
      // The look has not ended before the monitor has what it found.
      return settle()
    case 'pass':
      return pass(stage, next.ms)
    case 'hint':
      return next.hint === 'trouble'
        ? stage.hints.trouble({ code: 'ENOSPC', path: '/pgdata' })
        : stage.hints[next.hint]('postmaster.pid')
    case 'fate':
      return stage.bodies.meet(next.of, next.fate)
    case 'look':
      stage.hints.hint('postmaster.pid')
      await pass(stage, 1)
      stage.ask()
      return
    case 'ask':
      stage.ask()
  }
}

/** A look sees as alive only who can be held; how well that one is, the pulse has to tell. */
const beginLook = (finds: Evidence, bodies: ReturnType<typeof createVitalBodies>): Beginning => {
  const { postmaster: sighted, children } = finds
  const none = { vitals: noVitalSigns, bodies: [] }
  if (sighted.kind !== 'alive') return { evidence: finds, ...none }
  const postmaster = bodies.hold('postmaster')
  if (postmaster === null) return { evidence: { ...finds, postmaster: { kind: 'gone' } }, ...none }
  const vitals = { ...noVitalSigns, postmaster: postmaster.handle }
  if (children.kind !== 'present' || children.checkpointer === null) {
    return { evidence: finds, vitals, bodies: [postmaster.body] }
  }
  const checkpointer = bodies.hold('checkpointer')
  return checkpointer === null
    ? {
        evidence: { ...finds, children: { ...children, checkpointer: null } },
        vitals,
        bodies: [postmaster.body],
      }
    : {
        evidence: finds,
        vitals: { ...vitals, checkpointer: checkpointer.handle },
        bodies: [postmaster.body, checkpointer.body],
      }
}

/** Takes its time, and remembers what a real one does. */
const createMadeUpProbe = ({
  clock,
  begin,
  overlapping,
}: {
  clock: Clock
  begin: () => Beginning
  overlapping: () => void
}) => {
  const finished: Finished[] = []
  let pace: Pace = 0
  let memory: RestartMemory | null = null
  let release = (): void => {}
  let looking = false

  const takeTime = async (): Promise<void> => {
    if (typeof pace === 'number' && pace > 0) return pause(clock, pace)
    if (pace !== 'hanging') return
    const { promise, resolve } = deferred<void>()
    release = () => resolve()
    return promise
  }
  const look: Probe['look'] = async () => {
    if (looking) overlapping()
    looking = true
    const began = clock.monotonic()
    const beginning = begin()
    const isVoid = pace === 'void'
    await takeTime()
    looking = false
    if (isVoid) return null
    const { lockFile, directory } = beginning.evidence
    let crashRestart = false
    if (lockFile.kind === 'present' && directory.kind === 'present') {
      const seen = { lockFile: lockFile.fact, written: lockFile.modified }
      memory = remember(memory, { ...seen, now: began, clockOffsetMs: 0 })
      const times = { now: began, startupAgeMs: 0, startupRestedMs: 0 }
      const weighed = weighDoubt(memory, { evidence: beginning.evidence, ...times })
      memory = weighed.memory
      crashRestart = weighed.underWay
    }
    const evidence = { ...beginning.evidence, crashRestart }
    finished.push({ ...beginning, evidence, began })
    return { evidence, vitals: beginning.vitals, controlFileInode: '1:9' }
  }
  return {
    look,
    watchFreezer: () => {},
    close: () => {},
    finished,
    setPace: (next: Pace): void => {
      pace = next
    },
    release: (): void => release(),
  }
}
