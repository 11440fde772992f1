/** The decoders against files that real servers wrote; fixtures/README.md tells how. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { childKind, type ChildKind } from '../../src/facts/decode/process-title.ts'
import { timelineOf } from '../../src/facts/decide/reason.ts'
import { decodeControlDataReport } from '../../src/facts/decode/pg-controldata-report.ts'
import { decodeControlFile, hasKnownLayout } from '../../src/facts/decode/control-file.ts'
import { decodeLockFile } from '../../src/facts/decode/lock-file.ts'
import { decodeProcessStat } from '../../src/facts/decode/process-stat.ts'
import { parseRecoveryConf } from '../../src/facts/decode/signal-files.ts'
import { parseLsn, printLsn } from '../../src/facts/units.ts'
import { primaryEvidence, seen } from '../harness/evidence.ts'
import { postgresMajors } from '../harness/postgres-binaries.ts'

const filesIn = (folder: string, ending: string): readonly string[] =>
  readdirSync(join('fixtures', folder)).filter(name => name.endsWith(ending))
const textOf = (folder: string, name: string): string =>
  readFileSync(join('fixtures', folder, name), 'latin1')

/** `name: value` lines. */
const testimony = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text
      .trim()
      .split('\n')
      .map(line => [line.split(': ', 1).join(''), line.slice(line.indexOf(': ') + 2)]),
  )

/** From 19 on a log position is printed with leading zeros. */
const withoutZeros = (said: string): string => {
  const lsn = parseLsn(said)
  return lsn === null ? said : printLsn(lsn)
}

t.test('control files are decoded as the server itself reports them', async t => {
  const names = filesIn('pg_control', '.bin')
  t.ok(names.length >= 9 * 6 + 4, 'six states of nine versions, four of 19')
  for (const name of names) {
    const decoded = decodeControlFile(readFileSync(join('fixtures', 'pg_control', name)))
    if (!decoded.ok) {
      t.fail(`${name}: ${decoded.fault.kind}`)
      continue
    }
    const { fact } = decoded
    if (!hasKnownLayout(fact)) {
      t.fail(`${name}: unknown control version ${fact.controlVersion}`)
      continue
    }
    if (!name.startsWith('forged')) t.equal(fact.walSegmentSize, 16 * 1024 * 1024, name)
    const [, state = ''] = /^(?:forged-)?[\d.]+-(.+)\.bin$/.exec(name) ?? []
    t.equal(fact.state, state.replaceAll('-', ' '), name)
    const ours: Readonly<Record<string, string>> = {
      pg_control_version: `${fact.controlVersion}`,
      catalog_version_no: `${fact.catalogVersion}`,
      system_identifier: `${fact.systemIdentifier}`,
      pg_control_last_modified: `${fact.modified}`,
      checkpoint_lsn: printLsn(fact.checkpoint),
      redo_lsn: printLsn(fact.redo),
      timeline_id: `${fact.checkpointTimeline}`,
      checkpoint_time: `${fact.checkpointTime}`,
      min_recovery_end_lsn: printLsn(fact.minRecoveryPoint),
      min_recovery_end_timeline: `${fact.minRecoveryTimeline}`,
    }
    const theirs = testimony(textOf('pg_control', name.replace('.bin', '.txt')))
    const said = Object.keys(ours).filter(field => theirs.has(field))
    t.ok(said.length >= 4, `${name}: ${said.length} fields`)
    for (const field of said)
      t.equal(ours[field], withoutZeros(theirs.get(field) ?? ''), `${name}: ${field}`)
  }
})

t.test('our reader and pg_controldata agree about a server just promoted', async t => {
  const name = '19-in-production-after-promotion'
  const ours = decodeControlFile(readFileSync(join('fixtures', 'pg_controldata', `${name}.bin`)))
  t.strictSame(ours, decodeControlDataReport(textOf('pg_controldata', `${name}.txt`)))
  t.match(ours, { ok: true, fact: { checkpointTimeline: 1 } }, 'its checkpoint is still to come')
  t.equal(ours.ok && timelineOf(primaryEvidence({ controlFile: seen(ours.fact) })), 2)
})

t.test('lock files have the process that runs the server, and its status', async t => {
  const names = filesIn('postmaster.pid', '.pid')
  t.ok(names.length >= 9 * 6 + 3, 'six cases of nine versions, three of 19')
  for (const name of names) {
    const decoded = decodeLockFile(textOf('postmaster.pid', name))
    const [, word = ''] = /^\d+-([a-z]+)/.exec(name) ?? []
    const expected =
      word === 'single'
        ? { singleUser: true, lineCount: 7, status: null }
        : { singleUser: false, lineCount: 8, status: word, listenAddress: /^127/ }
    t.match(decoded, { ok: true, fact: { ...expected, pid: Number, port: Number } }, name)
  }
})

/** What a primary with a streaming standby shows, and what that standby does. */
const kindsWanted: Readonly<Record<string, readonly string[]>> = {
  primary: ['checkpointer', 'session', 'walwriter'],
  standby: ['checkpointer', 'startup', 'walreceiver'],
}
/** Those of the servers that we run ourselves were captured beside a client of each. */
const withClient = (name: string): readonly string[] =>
  postgresMajors.includes(Number.parseInt(name, 10)) ? ['session'] : []

const kindOf = (title: string): ChildKind => {
  return childKind(title, { commandLine: 'postgres\0-D\0/pgdata\0', room: null })
}

t.test('the titles of each version identify each process', async t => {
  const names = filesIn('proc', '-titles.txt')
  t.equal(names.length, 10)
  for (const name of names) {
    const lines = textOf('proc', name).split('\n').filter(Boolean)
    for (const [role, wanted] of Object.entries(kindsWanted)) {
      const titles = lines
        .filter(line => line.startsWith(`${role}\t`))
        .map(line => line.slice(role.length + 1))
      const kinds = titles.map(kindOf).filter(kind => kind !== 'other')
      t.strictSame(
        kinds.toSorted(),
        [...wanted, ...withClient(name)].toSorted(),
        `${role} of ${name}`,
      )
    }
  }
})

t.test('the state of a process is read whatever its name', async t => {
  const stats: Readonly<Record<string, object>> = {
    'postmaster.stat': { comm: 'postgres', state: 'running' },
    'postmaster-stopped.stat': { comm: 'postgres', state: 'stopped' },
    'checkpointer.stat': { comm: 'postgres', state: 'running' },
    'zombie.stat': { comm: 'postgres', state: 'zombie' },
    'odd-name.stat': { comm: 'a) R 1 (b', state: 'running' },
  }
  for (const [name, fact] of Object.entries(stats)) {
    t.match(decodeProcessStat(textOf('proc', name)), { ok: true, fact }, name)
  }
})

t.test('recovery.conf asks for a standby whenever a server reads it so', async t => {
  const [, ...rows] = textOf('recovery.conf', 'spellings.txt').trim().split('\n')
  t.ok(rows.length > 20)
  for (const row of rows) {
    const [spelling = '', outcome = ''] = row.split('\t')
    if (outcome === 'refused') continue
    const { standbyMode } = parseRecoveryConf(textOf('recovery.conf', `spelling-${spelling}.conf`))
    t.equal(standbyMode, outcome === 'standby', spelling)
  }
  for (const name of ['10.conf', '11.conf']) {
    t.strictSame(parseRecoveryConf(textOf('recovery.conf', name)), { standbyMode: true })
  }
})
