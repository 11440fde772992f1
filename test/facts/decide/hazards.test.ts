import t from 'tap'
import { hazardsOf } from '../../../src/facts/decide/hazards.ts'
import {
  controlFile,
  directory,
  newerControlFile,
  noSignalFiles,
  primaryEvidence,
  seen,
  standbyEvidence,
} from '../../harness/evidence.ts'

const names = (...args: Parameters<typeof hazardsOf>) => hazardsOf(...args).map(({ name }) => name)
const signalFiles = noSignalFiles
const recoveryConf = { standbyMode: true }

t.test('a healthy primary and a healthy standby have nothing to fear', async t => {
  t.strictSame(hazardsOf('primary', primaryEvidence()), [])
  t.strictSame(hazardsOf('standby', standbyEvidence()), [])
})

t.test('a server that does not serve is not judged', async t => {
  const touched = primaryEvidence({ signalFiles: { ...signalFiles, standbySignal: true } })
  t.strictSame(hazardsOf(null, touched), [])
})

t.test('a standby without its signal file is a second primary at the next start', async t => {
  const bare = standbyEvidence({ signalFiles })
  t.match(hazardsOf('standby', bare), [
    {
      name: 'standby without signal file',
      warning: /^standby\.signal is missing: .* second primary/,
    },
  ])
  const old = standbyEvidence({ signalFiles, directory: directory('11') })
  t.match(hazardsOf('standby', old), [{ warning: /^recovery\.conf is missing/ }])
})

t.test('unless it leaves recovery, and has removed the file itself', async t => {
  const bare = standbyEvidence({ signalFiles, promotion: 'none' })
  t.strictSame(names('standby', bare), ['standby without signal file'])
  for (const promotion of ['being checked', 'under way'] as const) {
    t.strictSame(hazardsOf('standby', { ...bare, promotion }), [], promotion)
  }
  for (const state of ['shutting down', 'shut down'] as const) {
    const ending = { ...bare, controlFile: seen(controlFile({ state })) }
    t.strictSame(hazardsOf('standby', ending), [], state)
  }
})

t.test('a primary with a signal file is none after the next start', async t => {
  const standbySignal = { ...signalFiles, standbySignal: true }
  const recoverySignal = { ...signalFiles, recoverySignal: true }
  t.match(hazardsOf('primary', primaryEvidence({ signalFiles: standbySignal })), [
    { name: 'primary with standby request', warning: /^standby\.signal is present/ },
  ])
  t.match(hazardsOf('primary', primaryEvidence({ signalFiles: recoverySignal })), [
    { name: 'primary with recovery request', warning: /^recovery\.signal is present/ },
  ])
})

t.test('up to 11 recovery.conf is what matters', async t => {
  const old = { directory: directory('11') }
  const standby = primaryEvidence({ ...old, signalFiles: { ...signalFiles, recoveryConf } })
  t.match(hazardsOf('primary', standby), [{ warning: /^recovery\.conf is present.*standby/ }])
  const pitr = { ...signalFiles, recoveryConf: { standbyMode: false } }
  const recovery = primaryEvidence({ ...old, signalFiles: pitr })
  t.match(hazardsOf('primary', recovery), [{ warning: /^recovery\.conf is present.*recovery/ }])
})

t.test('from 12 on recovery.conf keeps the server from starting', async t => {
  const evidence = primaryEvidence({ signalFiles: { ...signalFiles, recoveryConf } })
  t.strictSame(names('primary', evidence), ['next start fails'])
  const unknown = primaryEvidence({
    signalFiles: { ...signalFiles, recoveryConf },
    directory: directory(null),
  })
  t.strictSame(names('primary', unknown), ['next start fails'])
})

t.test('backup_label is a hazard on a primary, and daily bread on a standby', async t => {
  const backupLabel = { ...signalFiles, backupLabel: true }
  t.strictSame(names('primary', primaryEvidence({ signalFiles: backupLabel })), [
    'primary with backup_label',
  ])
  const standby = standbyEvidence({ signalFiles: { ...backupLabel, standbySignal: true } })
  t.strictSame(hazardsOf('standby', standby), [])
})

t.test('an unknown newer version is a hazard of any server, in addition to others', async t => {
  const newer = { controlFile: seen(newerControlFile()) }
  const [hazard] = hazardsOf('primary', primaryEvidence(newer))
  t.match(hazard, {
    name: 'unknown control version',
    warning: /^control version 9900 is newer than the newest known, 1905: .*--control-check/,
  })
  t.strictSame(names(null, primaryEvidence(newer)), ['unknown control version'])
  const recovering = { ...newerControlFile(), state: 'in archive recovery' } as const
  const standby = standbyEvidence({ controlFile: seen(recovering), signalFiles })
  t.strictSame(names('standby', standby), [
    'standby without signal file',
    'unknown control version',
  ])
})
