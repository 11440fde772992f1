import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { decidingRow, rows, type Rule } from '../../../src/facts/decide/rules.ts'
import type { Symptoms } from '../../../src/facts/decide/symptoms.ts'
import { allSymptoms } from '../../harness/all-symptoms.ts'
import { readDecisionDocument } from '../../harness/decision-document.ts'
import { printDecisionTable } from '../../harness/decision-table.ts'
import { repositoryRoot } from '../../harness/repository.ts'

const healthy: Symptoms = {
  directory: 'present',
  lockFile: 'complete',
  postmaster: 'alive',
  status: 'ready',
  crashRestart: false,
  startup: 'not running',
  checkpointer: 'running',
  cluster: 'in production',
  nextStart: 'primary',
}
const standby: Symptoms = { ...healthy, startup: 'running', cluster: 'in archive recovery' }
const unasked: Symptoms = { ...healthy, cluster: 'not checked' }
const noProc: Partial<Symptoms> = { startup: 'not visible', checkpointer: 'not visible' }

type Case = readonly [story: string, symptoms: Symptoms, rule: Rule, answer: string]
const cases: readonly Case[] = [
  ['a ready server in production is the primary', healthy, 'in production', 'primary'],
  [
    'a startup process that has not ended yet does not unmake a primary just promoted',
    { ...healthy, startup: 'running' },
    'in production',
    'primary',
  ],
  [
    'a server that pg_upgrade runs is ready for nobody else, in production or not',
    { ...healthy, postmaster: 'upgrading' },
    'binary upgrade',
    'unavailable',
  ],
  ['a primary is told without /proc', { ...healthy, ...noProc }, 'in production', 'primary'],
  [
    'a primary of 9.x has no status line',
    { ...healthy, status: 'none' },
    'in production',
    'primary',
  ],
  ['a ready server in archive recovery is a standby', standby, 'in archive recovery', 'standby'],
  ['a standby is told without /proc', { ...standby, ...noProc }, 'in archive recovery', 'standby'],
  [
    'a touched standby.signal changes nothing on a primary',
    { ...healthy, nextStart: 'standby' },
    'in production',
    'primary',
  ],
  [
    'a removed standby.signal changes nothing on a standby',
    { ...standby, nextStart: 'primary' },
    'in archive recovery',
    'standby',
  ],
  [
    'a standby serves during the checkpoint that ends its recovery',
    { ...standby, cluster: 'shut down' },
    'recovery ending',
    'standby',
  ],
  [
    'without its startup process the same is a server about to die',
    { ...healthy, cluster: 'shut down' },
    'contradiction',
    'unavailable',
  ],
  [
    'a ready server in archive recovery without a startup process is about to die',
    { ...standby, startup: 'not running' },
    'contradiction',
    'unavailable',
  ],
  [
    'an empty lock file names nobody who could be gone',
    { ...healthy, lockFile: 'incomplete', postmaster: 'unknown', status: 'none' },
    'lock file incomplete',
    'unavailable',
  ],
  [
    'a lock file cut short by a crash is left over',
    { ...healthy, lockFile: 'incomplete', postmaster: 'gone', status: 'none' },
    'postmaster gone',
    'unavailable',
  ],
  [
    'a crash restart overrules all that the files say',
    { ...healthy, crashRestart: true },
    'crash restart',
    'unavailable',
  ],
  [
    'no checkpointer, no service',
    { ...healthy, checkpointer: 'not running' },
    'no checkpointer',
    'unavailable',
  ],
  [
    'a stopping primary takes nobody',
    { ...healthy, status: 'stopping' },
    'stopping',
    'unavailable',
  ],
  ['a starting one neither', { ...healthy, status: 'starting' }, 'starting', 'unavailable'],
  [
    'a standby with hot_standby=off takes nobody',
    { ...standby, status: 'standby' },
    'hot standby off',
    'unavailable',
  ],
  [
    'crash recovery under a ready status is a crash restart',
    { ...healthy, cluster: 'in crash recovery' },
    'crash recovery',
    'unavailable',
  ],
  [
    'a recovery target with shutdown ends without a word',
    { ...standby, cluster: 'shut down in recovery' },
    'shut down in recovery',
    'unavailable',
  ],
  [
    'an unreadable control file is no reason to answer',
    { ...healthy, cluster: 'unreadable' },
    'control file unreadable',
    'unavailable',
  ],
  [
    'with the control file off, no signal file means primary',
    unasked,
    'no recovery requested',
    'primary',
  ],
  [
    'a recovery.conf on 12 and newer requests nothing of the server that runs',
    { ...unasked, nextStart: 'fails' },
    'no recovery requested',
    'primary',
  ],
  [
    'with the control file off, standby.signal means standby',
    { ...unasked, startup: 'running', nextStart: 'standby' },
    'recovery requested',
    'standby',
  ],
  [
    'and recovery.signal does, without /proc, too',
    { ...unasked, ...noProc, nextStart: 'recovery' },
    'recovery requested',
    'standby',
  ],
  [
    'a startup process contradicts a missing standby.signal',
    { ...unasked, startup: 'running' },
    'signal files contradicted',
    'unavailable',
  ],
  [
    'a missing startup process contradicts a touched standby.signal',
    { ...unasked, nextStart: 'standby' },
    'signal files contradicted',
    'unavailable',
  ],
]

for (const [story, symptoms, rule, answer] of cases) {
  t.test(story, async t => {
    const row = decidingRow(symptoms)
    t.equal(row.rule, rule)
    t.equal(row.answer, answer)
  })
}

t.test('over all combinations of symptoms', async t => {
  const used = new Map<string, number>()
  const wrong: { row: string; symptoms: Symptoms }[] = []
  for (const symptoms of allSymptoms()) {
    const { rule, answer } = decidingRow(symptoms)
    used.set(rule, (used.get(rule) ?? 0) + 1)
    const serves = servesAnybody(symptoms)
    const mayBePrimary =
      symptoms.cluster === 'in production' ||
      (symptoms.cluster === 'not checked' && symptoms.startup !== 'running')
    const mayBeStandby = symptoms.startup !== 'not running' && symptoms.cluster !== 'in production'
    if (answer === 'primary' && !(serves && mayBePrimary))
      wrong.push({ row: rule, symptoms: { ...symptoms } })
    if (answer === 'standby' && !(serves && mayBeStandby))
      wrong.push({ row: rule, symptoms: { ...symptoms } })
  }
  t.strictSame(wrong, [], 'nobody is answered who does not serve in that role')
  for (const { rule } of rows) t.ok(used.has(rule), `the row "${rule}" is reachable`)
  t.ok(used.has('contradiction'), 'so is the row for what no other explains')
})

const servesAnybody = (symptoms: Symptoms): boolean =>
  symptoms.directory === 'present' &&
  symptoms.lockFile === 'complete' &&
  symptoms.postmaster === 'alive' &&
  (symptoms.status === 'ready' || symptoms.status === 'none') &&
  !symptoms.crashRestart &&
  symptoms.checkpointer !== 'not running' &&
  symptoms.cluster !== 'unreadable'

const documented = readFileSync(join(repositoryRoot(), 'fixtures', 'decision-table.txt'), 'utf8')

t.test(
  'each combination has one line in the documented table, which has the same answer',
  async t => {
    const lines = readDecisionDocument(documented)
    const hits = new Map(lines.map(line => [line, 0]))
    const wrong: object[] = []
    for (const symptoms of allSymptoms()) {
      const found = lines.filter(line => line.matches(symptoms))
      for (const line of found) hits.set(line, (hits.get(line) ?? 0) + 1)
      const [line] = found
      const { rule, answer, settled } = decidingRow(symptoms)
      const agrees =
        found.length === 1 &&
        line?.rule === rule &&
        line.answer === answer &&
        line.lasting === (settled ? 'settled' : 'transient')
      if (!agrees) wrong.push({ symptoms: { ...symptoms }, rule, documented: found.map(showLine) })
    }
    t.strictSame(wrong.slice(0, 5), [], `${wrong.length} combinations`)
    const idle = lines.filter(line => hits.get(line) === 0)
    t.strictSame(idle.map(showLine), [], 'lines that no combination comes to')
    const rules = new Set(lines.map(({ rule }) => rule))
    t.strictSame(
      [...rows.map(({ rule }) => rule), 'contradiction'].filter(rule => !rules.has(rule)),
      [],
      'rules without a line',
    )
  },
)

const showLine = ({ text }: { text: string }): string => text

t.test('the documented table is printed from the rules as they are now', async t => {
  t.equal(documented, printDecisionTable(), 'to print it anew: npm run fixtures -- decision-table')
})
