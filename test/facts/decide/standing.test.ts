import * as fc from 'fast-check'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  hear,
  standingOf,
  unopposed,
  type Hearing,
  type Word,
} from '../../../src/facts/decide/standing.ts'
import { stampSnapshot } from '../../../src/facts/decide/snapshot.ts'
import { decide } from '../../../src/facts/decide/verdict.ts'
import type { Lsn, MonotonicMs, SystemIdentifier, UnixMs } from '../../../src/facts/units.ts'
import { anyEvidence } from '../../harness/any-evidence.ts'
import { primaryEvidence, standbyEvidence } from '../../harness/evidence.ts'
import { repositoryRoot } from '../../harness/repository.ts'
import { member, primaryOn, printStandingTable } from '../../harness/standing-table.ts'
import { anyHistory, promoted, timelineHistory } from '../../harness/timelines.ts'

const second = promoted(timelineHistory(1), 0x300n)
const third = promoted(second, 0x500_0060n)
const now = 5000 as MonotonicMs

const said = (changes: Parameters<typeof member>[0] = {}, peer = 's2:8008'): Word =>
  hear(null, { peer, member: member(changes), heardAt: now }, 1500)

const hearing = (changes: Partial<Hearing> = {}): Hearing => ({
  words: [],
  awaited: null,
  whenSuperseded: 'unavailable',
  walPosition: null,
  heardSince: now,
  ...changes,
})

const standing = (changes: Partial<Hearing>, evidence = primaryOn(second)) =>
  standingOf(evidence, decide(evidence), hearing(changes))

t.test('the table of all cases is in the document', async t => {
  const documented = readFileSync(join(repositoryRoot(), 'fixtures', 'peers-table.txt'), 'utf8')
  t.equal(documented, printStandingTable(), 'to print it anew: npm run fixtures -- peers-table')
})

t.test('a superseded server is reported with the peer and the position', async t => {
  t.strictSame(standing({ words: [said(), said({ history: third }, 's3:8008')] }), {
    overruling: {
      rule: 'superseded',
      because:
        'another server was promoted: s3:8008 is on timeline 3, which began at 0/5000060 of timeline 2 of this server',
    },
    hazards: [],
  })
})

t.test('of several promotions the first one counts', async t => {
  t.match(standing({ words: [said({ history: promoted(third, 0x700n) })] }).overruling, {
    because:
      /: s2:8008 is on timeline 4, and timeline 3 began at 0\/5000060 of timeline 2 of this server$/,
  })
})

t.test('so is how much of the log would be thrown away', async t => {
  const words = [said({ history: third })]
  const ends = (at: bigint) => standing({ words, walPosition: at as Lsn }).overruling?.because
  t.match(ends(0x500_2000n), /of this server, 8096 bytes before the end of its write-ahead log$/)
  t.match(ends(0x500_0060n), /of this server$/)
})

t.test('with --when-superseded warn that is a hazard', async t => {
  const warned = standing({
    words: [said({ history: third })],
    whenSuperseded: 'warn',
    awaited: 'the answer of s3:8008',
  })
  t.match(warned, {
    overruling: null,
    hazards: [{ name: 'superseded', warning: /^another server was promoted: s2:8008 is on/ }],
  })
  t.equal(warned.hazards.length, 1)
})

t.test('a primary with an unknown history waits, unless it only warns', async t => {
  t.strictSame(standing({ awaited: 'the answer of s2:8008' }), {
    overruling: { rule: 'asking peers', because: 'waiting for the answer of s2:8008' },
    hazards: [],
  })
  t.strictSame(standing({ awaited: 'the answer of s2:8008', whenSuperseded: 'warn' }), unopposed)
})

t.test('proof counts before all have answered', async t => {
  const words = [said({ history: third })]
  t.match(standing({ words, awaited: 'the answer of s3:8008' }), {
    overruling: { rule: 'superseded' },
  })
})

t.test('another primary is a hazard, and both remain primaries', async t => {
  const diverged = promoted(timelineHistory(1), 0x400n)
  const one = said({ answer: 'primary', history: diverged })
  t.strictSame(standing({ words: [one] }), {
    overruling: null,
    hazards: [
      {
        name: 'another primary',
        warning:
          's2:8008 is a primary of the same cluster as well, and neither timeline continues the other: clients may write to both',
      },
    ],
  })
  const other = said({ answer: 'primary', history: null }, 's3:8008')
  t.match(standing({ words: [one, other] }), {
    hazards: [{ warning: /^s2:8008, s3:8008 are a primary/ }],
  })
  // Our own history may be the one that is not known.
  t.match(standing({ words: [one] }, primaryOn(null)), { hazards: [{ name: 'another primary' }] })
})

t.test('without our own history nothing is proved', async t => {
  t.strictSame(standing({ words: [said({ history: third })] }, primaryOn(null)), unopposed)
})

t.test('neither a standby nor a server without a role depends on peers', async t => {
  const words = [said({ history: third, answer: 'primary' })]
  for (const evidence of [
    standbyEvidence({ timelineHistory: { kind: 'present', fact: second } }),
    primaryEvidence({ crashRestart: true, timelineHistory: { kind: 'present', fact: second } }),
  ]) {
    t.equal(standing({ words, awaited: 'the answer of s3:8008' }, evidence), unopposed)
  }
})

t.test('the last reported history of a peer remains valid until it reports another', async t => {
  const first = said({ history: third })
  const next = (changes: Parameters<typeof member>[0]): Word =>
    hear(first, { peer: 's2:8008', member: member(changes), heardAt: now }, 1500)
  t.strictSame(next({ history: null }).told, first.told)
  t.strictSame(next({ systemIdentifier: null }).told, first.told)
  t.strictSame(next({ ageMs: null }).told, first.told)
  t.strictSame(next({ ageMs: 1501 }).told, first.told)
  t.strictSame(next({ ageMs: 1500 }).told?.history, second)
  const other = 1n as SystemIdentifier
  t.strictSame(next({ systemIdentifier: other }).told?.systemIdentifier, other)
})

const anyWord = fc
  .record({
    history: fc.option(anyHistory),
    answer: fc.constantFrom('primary', 'standby', 'unavailable'),
    ageMs: fc.option(fc.nat(3000)),
    isOurs: fc.boolean(),
  })
  .map(({ isOurs, ...changes }) =>
    said(isOurs ? changes : { ...changes, systemIdentifier: 1n as SystemIdentifier }),
  )

const anyHearing = fc.record({
  words: fc.array(anyWord, { maxLength: 4 }),
  awaited: fc.option(fc.constant('the answer of s2:8008')),
  whenSuperseded: fc.constantFrom('unavailable', 'warn'),
  walPosition: fc.option(fc.bigInt({ min: 0n, max: 9n })),
  heardSince: fc.constantFrom(now, (now + 1) as MonotonicMs),
})

t.test('no answer of a peer makes a server a primary or a standby', async () => {
  fc.assert(
    fc.property(anyEvidence, anyHearing, (evidence, heard) => {
      const stamp = { lookedAt: now, lookedAtUnix: 0 as UnixMs, lookMs: 1 }
      const { verdict } = stampSnapshot(evidence, stamp, (...found) =>
        standingOf(...found, heard as Hearing),
      )
      const found = decide(evidence)
      return verdict.kind === 'unavailable' || JSON.stringify(verdict) === JSON.stringify(found)
    }),
  )
})

t.test('of servers that reach each other, at least one remains', async () => {
  fc.assert(
    fc.property(fc.array(anyHistory, { minLength: 1, maxLength: 5 }), histories => {
      const words = histories.map((history, at) =>
        said({ history, answer: 'primary' }, `s${at}:8008`),
      )
      return histories.some(history => {
        const { overruling } = standing({ words }, primaryOn(history))
        return overruling === null
      })
    }),
  )
})
