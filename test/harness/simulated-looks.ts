/**
 * A probe that looks at a simulated server while it lives on: between any two readings of one look
 * a few steps may be taken. Whenever a look that ends with a steady pulse makes for an answer,
 * clients must have been served in that role at some moment of it.
 */
import assert from 'node:assert'
import * as fc from 'fast-check'
import { decide, type Verdict } from '../../src/facts/decide/verdict.ts'
import { createControlSource } from '../../src/observe/files/control-source.ts'
import { createProbe, type Look, type Probe } from '../../src/observe/probe.ts'
import type { ProcessTable } from '../../src/observe/processes/process-table.ts'
import { takePulse } from '../../src/observe/processes/liveness.ts'
import { fakeFreezer } from './fake-freezer.ts'
import { createManualClock, settle, type ManualClock } from './manual-clock.ts'
import { lives, type Lapse, type Life } from './server-lives.ts'
import { createSimulatedServer, type ServerKind } from './simulated-server.ts'

type Scene =
  | { readonly kind: 'life'; readonly name: keyof typeof lives }
  | { readonly kind: 'steps'; readonly steps: number }
  | { readonly kind: 'rest' }
  | { readonly kind: 'look' }
  /** A look after each step. */
  | { readonly kind: 'watch'; readonly steps: number }
  /** A new probe remembers nothing. */
  | { readonly kind: 'new probe' }

export type Story = {
  readonly server: ServerKind
  readonly scenes: readonly Scene[]
  /** How many steps are taken before each reading; the end is followed by the beginning. */
  readonly haste: readonly number[]
  /** Where each lapse lies between its least and its most, likewise. */
  readonly speed: readonly number[]
}

/** Those that leave a server at work come more often: there is more to see. */
const lifeNames = fc.oneof(
  fc.constantFrom(...(Object.keys(lives) as (keyof typeof lives)[])),
  fc.constantFrom<keyof typeof lives>('start', 'start', 'crash', 'promote', 'endRecovery'),
)

const scene: fc.Arbitrary<Scene> = fc.oneof(
  { weight: 4, arbitrary: lifeNames.map(name => ({ kind: 'life' as const, name })) },
  {
    weight: 4,
    arbitrary: fc.integer({ min: 1, max: 8 }).map(steps => ({ kind: 'steps' as const, steps })),
  },
  { weight: 2, arbitrary: fc.constant({ kind: 'rest' } as const) },
  { weight: 4, arbitrary: fc.constant({ kind: 'look' } as const) },
  {
    weight: 3,
    arbitrary: fc.integer({ min: 2, max: 25 }).map(steps => ({ kind: 'watch' as const, steps })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'new probe' } as const) },
)

export const story: fc.Arbitrary<Story> = fc.record({
  server: fc.record({
    major: fc.constantFrom(13, 16),
    hotStandby: fc.constantFrom(true, true, true, false),
    request: fc.constantFrom('primary', 'standby', 'standby', 'recovery'),
  }),
  scenes: fc.array(scene, { minLength: 5, maxLength: 50, size: 'max' }),
  haste: fc.array(fc.constantFrom(0, 0, 0, 0, 1, 1, 2, 6), { minLength: 1, maxLength: 20 }),
  speed: fc.array(fc.constantFrom(0, 0.1, 0.5, 1), { minLength: 1, maxLength: 20 }),
})

/** Resolves to how many answers there were; rejects with the first that was wrong. */
export const playStory = async ({ server: kind, scenes, haste, speed }: Story): Promise<number> => {
  const server = createSimulatedServer(kind)
  const manual = createManualClock()
  const drawHaste = cycle(haste)
  const drawSpeed = cycle(speed)
  const coming: (keyof typeof lives)[] = ['start']
  let life: Life | null = null
  let answers = 0

  const takeStep = (): boolean => {
    life ??= lives[coming.shift() ?? 'none'](server)
    const next = life.next()
    if (next.done !== true) {
      server.pass(lapseMs(next.value, drawSpeed()))
      return true
    }
    life = null
    return coming.length > 0
  }
  const takeSteps = (steps: number): void => {
    for (let taken = 0; taken < steps; taken += 1) takeStep()
  }
  const rest = (): void => {
    while (takeStep());
  }
  const newProbe = () => createRealProbe(server, { manual, before: () => takeSteps(drawHaste()) })
  let probe = newProbe()

  const look = async (): Promise<Verdict | null> => {
    server.noteServed()
    const looked = await lookInTime(probe, manual)
    const served = server.noteServed()
    if (looked === null) return null
    const verdict = decide(looked.evidence)
    if (verdict.kind === 'unavailable' || takePulse(looked.vitals).kind === 'lost') return verdict
    answers += 1
    assert(
      served.has(verdict.role),
      `${verdict.role} (${verdict.rule}), served: ${[...served].join()}`,
    )
    return verdict
  }

  const watch = async (steps: number): Promise<void> => {
    for (let taken = 0; taken < steps; taken += 1) {
      takeStep()
      await look()
    }
  }

  for (const next of scenes) {
    if (next.kind === 'life') coming.push(next.name)
    else if (next.kind === 'steps') takeSteps(next.steps)
    else if (next.kind === 'rest') rest()
    else if (next.kind === 'look') await look()
    else if (next.kind === 'watch') await watch(next.steps)
    else {
      probe.close()
      probe = newProbe()
    }
  }
  rest()
  server.pass(3000)
  await look()
  const last = await look()
  const role = last?.kind === 'available' ? [last.role] : []
  assert.deepStrictEqual(role, [...server.served()], `in the end: ${last?.because}`)
  probe.close()
  return answers
}

const cycle = (values: readonly number[]): (() => number) => {
  let at = -1
  return () => {
    at += 1
    return values[at % values.length] ?? 0
  }
}

const lapseMs = (lapse: Lapse, share: number): number => {
  const [least, most] = typeof lapse === 'number' ? [0, lapse] : lapse
  return least + (most - least) * share
}

const createRealProbe = (
  server: ReturnType<typeof createSimulatedServer>,
  { manual, before }: { manual: ManualClock; before: () => void },
): Probe => {
  const { clock } = manual
  const { table } = server.processes
  const after =
    <Of, Found>(read: (of: Of) => Promise<Found>) =>
    (of: Of): Promise<Found> => {
      before()
      return read(of)
    }
  const processes: ProcessTable = {
    ...table,
    children: pid => {
      before()
      return table.children(pid)
    },
    commandLine: after(table.commandLine),
    program: after(table.program),
  }
  const directory = server.directory(before)
  const program = { run: () => Promise.reject(new Error('not asked')) }
  const control = createControlSource('native', { directory, program, timers: clock })
  const { freezer } = fakeFreezer()
  return createProbe({ controlCheck: 'native', directory, processes, freezer, control, clock })
}

/** A look may pause between its attempts. */
const lookInTime = async (probe: Probe, { advance }: ManualClock): Promise<Look | null> => {
  let done = false
  const looking = probe.look().finally(() => {
    done = true
  })
  for (await settle(); !done; await settle()) advance(1)
  return looking
}
