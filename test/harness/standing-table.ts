/**
 * What peers mean for the verdict on a primary, as a document: what fixtures/peers-table.txt holds,
 * printed from what the program decides for every case.
 */
import type { Evidence } from '../../src/facts/decide/evidence.ts'
import type { Member } from '../../src/facts/decide/member.ts'
import { hear, standingOf, type WhenSuperseded } from '../../src/facts/decide/standing.ts'
import { decide, type Answer } from '../../src/facts/decide/verdict.ts'
import type { TimelineHistory } from '../../src/facts/decode/timeline-history.ts'
import type { MonotonicMs, SystemIdentifier } from '../../src/facts/units.ts'
import { controlFile, primaryEvidence } from './evidence.ts'
import { promoted, timelineHistory } from './timelines.ts'

const own = promoted(timelineHistory(1), 0x300n)

/** What the peer tells of its timeline. */
const histories = {
  'continues ours': promoted(own, 0x500n),
  'continued by ours': timelineHistory(1),
  'same as ours': promoted(timelineHistory(1), 0x300n),
  diverged: promoted(timelineHistory(1), 0x400n),
  unknown: null,
} as const satisfies Readonly<Record<string, TimelineHistory | null>>

const clusters = ['ours', 'another'] as const
const roles: readonly Answer[] = ['primary', 'standby', 'unavailable']
/** `earlier`: and it has been silent since. */
const times = ['now', 'earlier'] as const
const settings: readonly WhenSuperseded[] = ['unavailable', 'warn']

export const primaryOn = (history: TimelineHistory | null): Evidence =>
  primaryEvidence({
    timelineHistory:
      history === null
        ? { kind: 'unknown', because: 'there is no 00000002.history' }
        : { kind: 'seen', fact: history },
  })

/** A member of the cluster of primaryOn(). */
export const member = (changes: Partial<Member> = {}): Member => ({
  instance: 'other',
  name: 's2',
  port: 5432,
  replication: null,
  hazards: [],
  answer: 'standby',
  rule: 'in archive recovery',
  because: 'postmaster pid 1 is ready',
  systemIdentifier: controlFile().systemIdentifier,
  history: own,
  walPosition: null,
  ageMs: 10,
  ...changes,
})

const heardAt = 1000 as MonotonicMs

const answerFor = (
  peer: Member,
  { time, whenSuperseded }: { time: string; whenSuperseded: WhenSuperseded },
): string => {
  const evidence = primaryOn(own)
  const { overruling, hazards } = standingOf(evidence, decide(evidence), {
    words: [hear(null, { peer: 's2:8008', member: peer, heardAt }, 1500)],
    awaited: null,
    whenSuperseded,
    walPosition: null,
    heardSince: (time === 'now' ? heardAt : heardAt + 1) as MonotonicMs,
  })
  if (overruling !== null) return `unavailable: ${overruling.rule}`
  const warnings = hazards.map(({ name }) => name)
  return warnings.length === 0 ? 'primary' : `primary, with the hazard ${warnings.join(', ')}`
}

const introduction = `\
What the last answer of a peer means for a server that is a primary by itself: the specification of
src/facts/decide/standing.ts. No answer makes a primary of any other server.

  history  how the timeline history of the peer relates to that of this server
  cluster  whether its system identifier is that of this server
  role     of the peer
  heard    now, or earlier, and it has been silent since

Before the first answer of each peer such a server is unavailable by the rule "asking peers", unless
this daemon saw it as a standby before.

Made by "npm run fixtures -- peers-table", and compared with the program by its tests.
`

type Case = readonly [history: string, cluster: string, role: string, heard: string]

const casesFor = (whenSuperseded: WhenSuperseded) =>
  Object.entries(histories).flatMap(([name, history]) =>
    clusters.flatMap(cluster =>
      roles.flatMap(role =>
        times.map(time => {
          const { systemIdentifier } = controlFile()
          const other = (systemIdentifier + 1n) as SystemIdentifier
          const identifier = cluster === 'ours' ? systemIdentifier : other
          const peer = member({ history, answer: role, systemIdentifier: identifier })
          const line: Case = [name, cluster, role, time]
          return { line, answer: answerFor(peer, { time, whenSuperseded }) }
        }),
      ),
    ),
  )

const header = ['history', 'cluster', 'role', 'heard', 'answer']
const widths = [19, 9, 13, 9, 0]
const print = (cells: readonly string[]): string =>
  cells.map((cell, at) => cell.padEnd(widths[at] ?? 0)).join('')

export const printStandingTable = (): string =>
  [
    introduction,
    ...settings.map(whenSuperseded =>
      [
        `--when-superseded ${whenSuperseded}`,
        '',
        print(header),
        ...casesFor(whenSuperseded).map(({ line, answer }) => print([...line, answer])),
        '',
      ].join('\n'),
    ),
  ].join('\n')
