/** What the referee is asked to do. */
import { parseArgs } from 'node:util'
import { postgresMajors } from '../harness/postgres-binaries.ts'
import type { Scenario } from './scenario.ts'

export type Options = {
  readonly majors: readonly number[]
  readonly scenarios: readonly Scenario[]
  /** Null for the scenarios. */
  readonly random: { readonly seed: number; readonly rounds: number } | null
  /** A table for fixtures/docs/referee.md. */
  readonly markdown: boolean
  readonly wholeMachine: boolean
}

const defaultMajors: readonly number[] = [10, 11, 12, 15, 18]

export const usage = `usage: npm run truth -- [OPTION]...

  --major N         on this major version of PostgreSQL; may be repeated
  --all-majors      on every one of ${postgresMajors.join(', ')};
                    without either on ${defaultMajors.join(', ')}
  --scenario TEXT   only scenarios with this in their names; may be repeated
  --whole-machine   also what affects the whole machine for a moment: its clock is set back and
                    forth by two seconds, and inotify is taken away
  --list            print the names of the scenarios and end
  --rounds N        instead of scenarios: this many faults in a row, chosen at random
  --seed N          the same faults as in the run that had this seed
  --markdown        print the table of fixtures/docs/referee.md at the end
`

const seedMax = 2 ** 31

export type Asked = Options | { readonly list: true } | { readonly mistake: string }

export const parseOptions = (argv: readonly string[], all: readonly Scenario[]): Asked => {
  try {
    return understand(parse(argv), all)
  } catch (failure) {
    return { mistake: failure instanceof Error ? failure.message : String(failure) }
  }
}

const parse = (argv: readonly string[]) =>
  parseArgs({
    args: [...argv],
    options: {
      major: { type: 'string', multiple: true },
      'all-majors': { type: 'boolean' },
      scenario: { type: 'string', multiple: true },
      'whole-machine': { type: 'boolean' },
      list: { type: 'boolean' },
      rounds: { type: 'string' },
      seed: { type: 'string' },
      markdown: { type: 'boolean' },
    },
  }).values

const understand = (values: ReturnType<typeof parse>, all: readonly Scenario[]): Asked => {
  if (values.list === true) return { list: true }
  const chosen = (values.major ?? []).map(text => whole('--major', text))
  const unknown = chosen.find(major => !postgresMajors.includes(major))
  if (unknown !== undefined) {
    throw new Error(`there is no PostgreSQL ${unknown}, only ${postgresMajors.join(', ')}`)
  }
  const everyMajor = values['all-majors'] === true ? postgresMajors : defaultMajors
  const texts = values.scenario ?? []
  const scenarios = all.filter(
    ({ name }) => texts.length === 0 || texts.some(text => name.includes(text)),
  )
  if (scenarios.length === 0) throw new Error(`no scenario has a name with ${texts.join(', ')}`)
  const rounds = values.rounds === undefined ? null : whole('--rounds', values.rounds)
  const seed =
    values.seed === undefined ? Math.floor(Math.random() * seedMax) : whole('--seed', values.seed)
  return {
    majors: chosen.length > 0 ? chosen : everyMajor,
    scenarios,
    random: rounds === null ? null : { seed, rounds },
    markdown: values.markdown === true,
    wholeMachine: values['whole-machine'] === true,
  }
}

const whole = (name: string, text: string): number => {
  if (!/^\d+$/.test(text))
    throw new Error(`${name} must be a number, but is ${JSON.stringify(text)}`)
  return Number(text)
}
