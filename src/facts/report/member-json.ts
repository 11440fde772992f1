/**
 * What a member of a cluster tells the others, as JSON: `GET /member`. The shape is stable: fields
 * are added, never renamed or removed. fixtures/docs/cluster.md documents each.
 *
 * It is read from another host, so that it may be anything: reading is total, and what does not
 * have this shape is refused as a whole.
 */
import { historyOf, systemIdentifierOf, type Member } from '../decide/member.ts'
import type { Snapshot } from '../decide/snapshot.ts'
import { answerOf, type Answer, type Verdict } from '../decide/verdict.ts'
import { assembleHistory, parseTimeline, type TimelineHistory } from '../decode/timeline-history.ts'
import type { TimelineSwitch } from '../decode/timeline-history.ts'
import { fact, fault, type Outcome } from '../outcome.ts'
import { parseLsn, type Lsn, type MonotonicMs, type SystemIdentifier } from '../units.ts'
import { plainText } from '../visible-text.ts'
import { replicationOf, replicationStates } from '../decide/streaming.ts'
import { isList, isObject, parseObject, type Document } from './parse-json.ts'
import { lsnJson, printJson, timelineHistoryJson, type Json } from './snapshot-json.ts'

/** What a daemon knows of itself, for all of its life. */
export type Identity = Pick<Member, 'instance'> & { readonly name: string }

/** The verdict is the current one. */
export const memberOf = (
  snapshot: Snapshot | null,
  {
    verdict,
    now,
    instance,
    name,
  }: Identity & { readonly verdict: Verdict; readonly now: MonotonicMs },
): Member => ({
  instance,
  name,
  answer: answerOf(verdict),
  rule: verdict.rule,
  because: verdict.because,
  ...serverOf(snapshot),
  systemIdentifier: snapshot === null ? null : systemIdentifierOf(snapshot.evidence),
  history: snapshot === null ? null : historyOf(snapshot.evidence),
  walPosition: snapshot === null ? null : snapshot.evidence.walPosition,
  ageMs: snapshot === null ? null : Math.max(0, Math.round(now - snapshot.lookedAt)),
})

const serverOf = (snapshot: Snapshot | null): Pick<Member, 'port' | 'replication' | 'hazards'> => {
  if (snapshot === null) return { port: null, replication: null, hazards: [] }
  const { evidence, hazards } = snapshot
  return {
    port: evidence.lockFile.kind === 'present' ? evidence.lockFile.fact.port : null,
    replication: replicationOf(evidence)?.state ?? null,
    hazards: hazards.map(({ name }) => name),
  }
}

export const memberDocument = (member: Member): string => printJson(memberJson(member))

const memberJson = ({
  instance,
  name,
  port,
  replication,
  hazards,
  answer,
  rule,
  because,
  systemIdentifier,
  history,
  walPosition,
  ageMs,
}: Member): Json => ({
  instance,
  name,
  role: answer,
  rule,
  because,
  port,
  replication_state: replication,
  hazards,
  system_identifier: systemIdentifier === null ? null : systemIdentifier.toString(),
  timeline: history === null ? null : history.timeline,
  timeline_history: timelineHistoryJson(history),
  wal_position: lsnJson(walPosition),
  age_ms: ageMs,
})

/** The fault names the first field that is not as it must be. */
export const decodeMember = (text: string): Outcome<Member, string> => {
  const document = parseObject(text)
  if (document === null) return fault('not a JSON object')
  const { instance, role, rule, because, system_identifier, wal_position, age_ms } = document
  if (typeof instance !== 'string' || !/^[\w-]{1,64}$/.test(instance)) return fault('instance')
  const answer = answers.find(known => known === role)
  if (answer === undefined) return fault('role')
  if (typeof rule !== 'string') return fault('rule')
  if (typeof because !== 'string') return fault('because')
  const systemIdentifier = parseSystemIdentifier(system_identifier)
  if (systemIdentifier === undefined) return fault('system_identifier')
  const history = parseHistory(document)
  if (history === undefined) return fault('timeline_history')
  const walPosition = parsePosition(wal_position)
  if (walPosition === undefined) return fault('wal_position')
  const ageMs = parseAge(age_ms)
  if (ageMs === undefined) return fault('age_ms')
  const server = parseServer(document)
  if (typeof server === 'string') return fault(server)
  const texts = { rule: plainText(rule), because: plainText(because) }
  return fact({
    instance,
    answer,
    ...texts,
    ...server,
    systemIdentifier,
    history,
    walPosition,
    ageMs,
  })
}

const answers: readonly Answer[] = ['primary', 'standby', 'unavailable']

type Server = Pick<Member, 'name' | 'port' | 'replication' | 'hazards'>

/** What an older daemon does not tell. The name of the first field that is not as it must be. */
const parseServer = (document: Document): Server | string => {
  const { name = null, port = null, replication_state: text = null, hazards = null } = document
  if (name !== null && typeof name !== 'string') return 'name'
  if (port !== null && !isPort(port)) return 'port'
  const replication = replicationStates.find(known => known === text) ?? null
  if (replication !== text) return 'replication_state'
  if (hazards !== null && !isList(hazards)) return 'hazards'
  const names = hazards?.filter(hazard => typeof hazard === 'string').map(plainText)
  if (names?.length !== hazards?.length) return 'hazards'
  return { name: name && plainText(name), port, replication, hazards: names ?? null }
}

const isPort = (value: Json): value is number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= 65_535

// Null is what the member does not know, undefined what it must not say.

const identifierMax = 0xffff_ffff_ffff_ffffn

const parseSystemIdentifier = (value: Json | undefined): SystemIdentifier | null | undefined => {
  if (value === null) return null
  if (typeof value !== 'string' || !/^\d{1,20}$/.test(value)) return undefined
  const identifier = BigInt(value)
  return identifier <= identifierMax ? (identifier as SystemIdentifier) : undefined
}

const parseHistory = (document: Document): TimelineHistory | null | undefined => {
  const { timeline: number, timeline_history: list } = document
  if (list === null) return null
  const timeline = parseTimeline(number)
  if (timeline === null || !isList(list)) return undefined
  const switches = list.map(parseSwitch)
  const known = switches.filter(one => one !== null)
  if (known.length < switches.length) return undefined
  return assembleHistory(timeline, known) ?? undefined
}

const parseSwitch = (value: Json): TimelineSwitch | null => {
  if (!isObject(value)) return null
  const { timeline: number, switched_at: position } = value
  const timeline = parseTimeline(number)
  const at = typeof position === 'string' ? parseLsn(position) : null
  return timeline === null || at === null ? null : { timeline, at }
}

const parsePosition = (value: Json | undefined): Lsn | null | undefined => {
  if (value === null) return null
  return typeof value === 'string' ? (parseLsn(value) ?? undefined) : undefined
}

const parseAge = (value: Json | undefined): number | null | undefined => {
  if (value === null) return null
  return typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined
}
