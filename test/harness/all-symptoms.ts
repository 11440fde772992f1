/** Every value of each symptom, and every combination of them there can be. */
import type { Symptoms } from '../../src/facts/decide/symptoms.ts'

type Values = { readonly [Name in keyof Symptoms]: readonly Symptoms[Name][] }

export const symptomValues: Values = {
  directory: ['present', 'absent', 'unreadable', 'not a directory'],
  lockFile: ['complete', 'absent', 'unreadable', 'invalid', 'incomplete', 'single-user'],
  postmaster: [
    'alive',
    'gone',
    'unknown',
    'stopped',
    'not the postmaster',
    'invisible',
    'upgrading',
  ],
  status: ['ready', 'starting', 'stopping', 'standby', 'none'],
  crashRestart: [false, true],
  startup: ['running', 'not running', 'not visible'],
  checkpointer: ['running', 'not running', 'not visible'],
  cluster: [
    'in production',
    'in archive recovery',
    'in crash recovery',
    'shut down in recovery',
    'shutting down',
    'shut down',
    'starting up',
    'unreadable',
    'not checked',
  ],
  nextStart: ['primary', 'standby', 'recovery', 'fails'],
}

/** Yields one object over and over again: copy it to keep it. */
export function* allSymptoms(): Generator<Symptoms> {
  const names = Object.keys(symptomValues) as (keyof Symptoms)[]
  const combination: Record<string, unknown> = {}
  function* choose(depth: number): Generator<Symptoms> {
    const name = names[depth]
    if (name === undefined) return yield combination as Symptoms
    for (const value of symptomValues[name]) {
      combination[name] = value
      yield* choose(depth + 1)
    }
  }
  yield* choose(0)
}

/** How a document names a symptom: `lockFile` is "lock file". */
export const symptomTitle = (name: keyof Symptoms): string =>
  name.replaceAll(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)

/** How a document spells a value. */
export const symptomWord = (value: Symptoms[keyof Symptoms]): string => {
  if (typeof value === 'string') return value
  return value ? 'yes' : 'no'
}
