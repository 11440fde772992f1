/**
 * The decision as a document: what fixtures/decision-table.txt holds, printed from what the
 * program decides for every combination of symptoms. Nothing is taken from how the rows of
 * rules.ts are written, only from what they come to.
 */
import assert from 'node:assert'
import { decidingRow, rows, type Rule } from '../../src/facts/decide/rules.ts'
import type { Symptoms } from '../../src/facts/decide/symptoms.ts'
import { symptomTitle, symptomValues, symptomWord } from './all-symptoms.ts'

type Name = keyof Symptoms
type Outcome = ReturnType<typeof decidingRow>

/** A question, answered by the table of these symptoms. */
type Chapter = { readonly question: string; readonly names: readonly Name[] }

/**
 * The order in which symptoms are asked for keeps the table short: what settles the matter by
 * itself comes early, and what matters only together with another comes after it.
 */
const chapters: readonly Chapter[] = [
  {
    question: 'Is there a postmaster that holds the data directory?',
    names: ['directory', 'lockFile', 'postmaster'],
  },
  { question: 'Does it serve?', names: ['status', 'crashRestart', 'checkpointer'] },
  { question: 'In which role?', names: ['cluster', 'nextStart', 'startup'] },
]
const order = chapters.flatMap(({ names }) => names)

const introduction = `\
What is answered for each combination of symptoms: the specification of src/facts/decide/rules.ts.

How to read it. First come the symptoms, as src/facts/decide/symptoms.ts names them, then the
answer, whether it can last (settled) or is looked at again after milliseconds (passing), and the
name of the rule. "a|b" is either of them, "-" is any. Each combination has exactly one line. Where a line
ends with an arrow, the table of that number goes on with what has the symptoms of that line.

  postmaster    unknown: there is no pid to look for; upgrading: pg_upgrade runs it (postgres -b)
  status        none: PostgreSQL before 10 writes no status line
  checkpointer  unseen: the system does not show processes, or not to us, or their titles are cut;
                the same for startup
  cluster       the state in the control file; not asked: with --control-check off
  next start    what the signal files ask for; fails: recovery.conf under 12 or newer

Made by "npm run fixtures -- decision-table", and compared with the program by its tests.
`

/** The text of the document. */
export const printDecisionTable = (): string => {
  const parts = [introduction]
  let tree = treeOf(0, {})
  for (const [index, { question, names }] of chapters.entries()) {
    const number = index + 1
    const { lines, next } = linesOf(tree, { number, names })
    parts.push(`${number}. ${question}\n`, align([headline(names), ...lines]))
    assert(next.length <= 1, 'two lines go on: divide the symptoms into chapters in another way')
    const [only] = next
    if (only === undefined) break
    tree = only
  }
  return parts.join('\n')
}

type Tree =
  | { readonly outcome: Outcome; readonly key: string }
  | { readonly name: Name; readonly branches: readonly Branch[]; readonly key: string }
type Branch = { readonly values: readonly string[]; readonly tree: Tree }

/** Values that lead to the same share a branch; where all do, the symptom does not matter. */
const treeOf = (depth: number, chosen: Partial<Symptoms>): Tree => {
  const name = order[depth]
  if (name === undefined) {
    const outcome = decidingRow(chosen as Symptoms)
    return { outcome, key: outcome.rule }
  }
  const branches = new Map<string, { values: string[]; tree: Tree }>()
  for (const value of symptomValues[name]) {
    const tree = treeOf(depth + 1, { ...chosen, [name]: value })
    const known = branches.get(tree.key)
    if (known === undefined) branches.set(tree.key, { values: [symptomWord(value)], tree })
    else known.values.push(symptomWord(value))
  }
  const [first, ...others] = [...branches.values()].toSorted(byRules)
  assert(first !== undefined, `${name} has values`)
  if (others.length === 0) return first.tree
  const all = [first, ...others]
  const keys = all.map(({ values, tree }) => `${values.join('|')} ${tree.key}`)
  return { name, branches: all, key: `${name}(${keys.join(', ')})` }
}

const ruleNames: readonly Rule[] = [...rows.map(({ rule }) => rule), 'contradiction']

/** What needs no further question comes first, and then all comes in the order of the rules. */
const byRules = (one: Branch, other: Branch): number => {
  const [first, second] = [one, other].map(({ tree }) => rank(tree))
  assert(first !== undefined && second !== undefined)
  const unlike = first.findIndex((number, at) => number !== second[at])
  return (first[unlike] ?? 0) - (second[unlike] ?? 0)
}

const rank = (tree: Tree): readonly number[] => {
  const rules = rulesIn(tree)
  return ['outcome' in tree ? 0 : 1, Math.min(...rules), Math.max(...rules)]
}

const rulesIn = (tree: Tree): readonly number[] =>
  'outcome' in tree
    ? [ruleNames.indexOf(tree.outcome.rule)]
    : tree.branches.flatMap(branch => rulesIn(branch.tree))

type Cells = readonly string[]

/** Lines of the symptoms named, an empty one before each group, and the trees that are left. */
const linesOf = (tree: Tree, { number, names }: { number: number; names: readonly Name[] }) => {
  const lines: Cells[] = []
  const next: Tree[] = []
  const divides = (at: Tree): at is Extract<Tree, { branches: unknown }> =>
    'branches' in at && names.includes(at.name)
  const walk = (at: Tree, chosen: { readonly [Column in Name]?: string }): void => {
    if (divides(at)) {
      for (const { values, tree } of at.branches) {
        if (divides(tree) && lines.at(-1)?.length !== 0) lines.push([])
        walk(tree, { ...chosen, [at.name]: values.join('|') })
      }
      return
    }
    const cells = names.map(name => chosen[name] ?? '-')
    if ('outcome' in at) {
      const { answer, settled, rule } = at.outcome
      lines.push([...cells, answer, settled ? 'settled' : 'passing', rule])
    } else {
      next.push(at)
      lines.push([...cells, `==> ${number + 1}`])
    }
  }
  walk(tree, {})
  return { lines, next }
}

const headline = (names: readonly Name[]): Cells => [
  ...names.map(symptomTitle),
  'answer',
  'lasting',
  'rule',
]

const align = (lines: readonly Cells[]): string => {
  const widths = lines[0]?.map((_, at) => Math.max(...lines.map(cells => cells[at]?.length ?? 0)))
  return lines
    .map(cells => cells.map((cell, at) => cell.padEnd(widths?.[at] ?? 0)).join('  '))
    .map(line => `${line.trimEnd()}\n`)
    .join('')
}
