import * as fc from 'fast-check'
import t from 'tap'
import {
  compareWithDaemon,
  daemonJson,
  decodeDaemon,
  type LocalDaemon,
} from '../../../src/facts/report/daemon-view.ts'
import { snapshotDocument } from '../../../src/facts/report/snapshot-json.ts'
import { primaryEvidence, snapshotOf } from '../../harness/evidence.ts'
import { anyText, assertOneLine, damaged } from '../../harness/foreign-text.ts'

const snapshot = snapshotOf(primaryEvidence())
const document = snapshotDocument(snapshot)
const daemon: LocalDaemon = {
  socket: '/run/x.sock',
  directory: '/pgdata',
  answer: 'unavailable',
  rule: 'maintenance',
  because: 'new kernel',
}

t.test('what a daemon answers is read from its status', async t => {
  const { rule, because } = snapshot.verdict
  const { path } = snapshot.evidence
  t.strictSame(decodeDaemon(document), {
    ok: true,
    fact: { directory: path, answer: 'primary', rule, because },
  })
})

t.test('what does not have its form is refused', async t => {
  t.match(decodeDaemon('[]'), { fault: 'not a JSON object' })
  const whole = JSON.parse(document) as Record<string, unknown>
  for (const field of ['verdict', 'rule', 'because', 'data_directory']) {
    t.match(decodeDaemon(JSON.stringify({ ...whole, [field]: 1 })), { fault: field })
  }
  t.match(decodeDaemon(JSON.stringify({ ...whole, data_directory: {} })), {
    fault: 'data_directory',
  })
})

t.test('reading never throws, and what is read can be printed', async () => {
  fc.assert(
    fc.property(fc.oneof(damaged(document), anyText), text => {
      const read = decodeDaemon(text)
      if (read.ok) assertOneLine(`${read.fact.rule} ${read.fact.because}`)
    }),
  )
})

t.test('it is shown beside the check, unless it is the same', async t => {
  t.strictSame(compareWithDaemon(daemon, snapshot), [
    'the daemon answers  unavailable  maintenance: new kernel (/run/x.sock)',
    `this check found    primary      in production: ${snapshot.verdict.because}`,
  ])
  t.strictSame(compareWithDaemon({ ...daemon, ...snapshot.verdict, answer: 'primary' }, snapshot), [
    'the daemon answers the same (/run/x.sock)',
  ])
  const other = { ...daemon, answer: 'primary', rule: 'recovery ending' } as const
  t.match(compareWithDaemon(other, snapshot), [/ primary {2}recovery ending: /, / primary {2}in /])
  t.equal(daemonJson(null), null)
  t.strictSame(daemonJson(daemon), {
    socket: '/run/x.sock',
    verdict: 'unavailable',
    rule: 'maintenance',
    because: 'new kernel',
  })
})
