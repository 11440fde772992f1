/**
 * fixtures/decision-table.txt read back: its lines as a person reads them, without a thought to
 * how they were printed or to what the program does.
 */
import assert from 'node:assert'
import type { Symptoms } from '../../src/facts/decide/symptoms.ts'
import { symptomTitle, symptomValues, symptomWord } from './all-symptoms.ts'

export type DocumentLine = {
  /** As it stands in the document. */
  readonly text: string
  readonly matches: (symptoms: Symptoms) => boolean
  readonly answer: string
  readonly lasting: string
  readonly rule: string
}

type Condition = { readonly name: keyof Symptoms; readonly words: readonly string[] }

/** Prose has one blank between words; two or more divide the columns of a table. */
export const readDecisionDocument = (text: string): readonly DocumentLine[] => {
  const lines: DocumentLine[] = []
  const arrows = new Map<string, readonly Condition[]>()
  let names: readonly (keyof Symptoms)[] = []
  let given: readonly Condition[] = []
  let table = ''
  for (const line of text.split('\n')) {
    const cells = line.split(/ {2,}/)
    table = /^(\d+)\. /.exec(line)?.[1] ?? table
    if (table === '' || cells.length === 1) continue
    if (cells.at(-1) === 'rule') {
      names = cells.slice(0, -3).map(nameOf)
      assert(table === '1' || arrows.has(table), `no line leads to table ${table}`)
      given = arrows.get(table) ?? []
      continue
    }
    const conditions = [...given, ...names.flatMap((name, at) => conditionOf(name, cells[at]))]
    const [answer = '', lasting = '', rule = '', ...more] = cells.slice(names.length)
    assert(more.length === 0, `too many columns: ${line}`)
    const [, destination] = /^==> (\d+)$/.exec(answer) ?? []
    if (destination === undefined) {
      const matches = (symptoms: Symptoms): boolean => conditions.every(isMetBy(symptoms))
      lines.push({ text: line, matches, answer, lasting, rule })
    } else {
      arrows.set(destination, conditions)
    }
  }
  return lines
}

const nameOf = (title: string): keyof Symptoms => {
  const names = Object.keys(symptomValues) as (keyof Symptoms)[]
  const found = names.find(name => symptomTitle(name) === title)
  assert(found !== undefined, `no symptom is called "${title}"`)
  return found
}

const conditionOf = (name: keyof Symptoms, cell = ''): readonly Condition[] => {
  if (cell === '-') return []
  const words = cell.split('|')
  const known = symptomValues[name].map(symptomWord)
  for (const word of words) assert(known.includes(word), `${name} is never "${word}"`)
  return [{ name, words }]
}

const isMetBy =
  (symptoms: Symptoms) =>
  ({ name, words }: Condition): boolean =>
    words.includes(symptomWord(symptoms[name]))
