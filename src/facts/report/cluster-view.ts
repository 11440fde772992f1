/**
 * What `GET /cluster` of a daemon says, read for people. It comes from another host, so that it may
 * be anything: reading is total, and what does not have the shape of cluster-json.ts is refused as
 * a whole. Patroni's own document has it as well.
 */
import { fact, fault, type Outcome } from '../outcome.ts'
import { plainText } from '../visible-text.ts'
import { isList, isObject, parseObject, type Document } from './parse-json.ts'
import { printJson, type Json } from './snapshot-json.ts'

/** Texts are printable and limited in length. */
export type ClusterView = {
  readonly scope: string | null
  readonly members: readonly MemberView[]
  /** All of it, as JSON. */
  readonly document: string
}

export type MemberView = {
  readonly name: string
  /** As in the document: `leader`, `replica`, `unavailable` or `unknown`. */
  readonly role: string
  readonly state: string
  readonly timeline: number | null
  /** In bytes; null for a primary, which has none. */
  readonly lag: number | 'unknown' | null
  readonly rule: string | null
  readonly because: string | null
  readonly ageMs: number | null
  /** Null if they are not known. */
  readonly hazards: readonly string[] | null
}

/** The fault names what is not as it must be. */
export const decodeCluster = (text: string): Outcome<ClusterView, string> => {
  const document = parseObject(text)
  if (document === null) return fault('not a JSON object')
  const { members: list, scope } = document
  if (!isList(list)) return fault('members')
  const members = list.flatMap(one => readMember(one) ?? [])
  if (members.length < list.length) return fault('members')
  return fact({ scope: textOf(scope), members, document: printJson(document) })
}

const readMember = (value: Json): MemberView | null => {
  if (!isObject(value)) return null
  const [name, role, state] = [textOf(value['name']), textOf(value['role']), textOf(value['state'])]
  if (name === null || role === null || state === null) return null
  const { timeline, lag, rule, because, age_ms } = value
  return {
    name,
    role,
    state,
    timeline: numberOf(timeline),
    lag: lag === 'unknown' ? lag : numberOf(lag),
    rule: textOf(rule),
    because: textOf(because),
    ageMs: numberOf(age_ms),
    hazards: hazardsOf(value),
  }
}

const hazardsOf = ({ hazards }: Document): readonly string[] | null =>
  isList(hazards) ? hazards.flatMap(hazard => textOf(hazard) ?? []) : null

const textOf = (value: Json | undefined): string | null =>
  typeof value === 'string' ? plainText(value) : null

const numberOf = (value: Json | undefined): number | null =>
  typeof value === 'number' && value >= 0 ? value : null

/** What is wrong with the cluster, each in a few words; empty if nothing is. */
export const troublesOf = (members: readonly MemberView[]): readonly string[] => {
  const leaders = namesOf(members, ({ role }) => role === 'leader')
  return [
    ...(leaders.length === 0 ? ['no primary'] : []),
    ...(leaders.length > 1 ? [`${leaders.length} primaries: ${leaders.join(', ')}`] : []),
    ...warningsOf(members),
  ]
}

/** The same without the number of primaries. */
export const warningsOf = (members: readonly MemberView[]): readonly string[] => {
  const superseded = namesOf(
    members,
    ({ rule, hazards }) => rule === 'superseded' || hazards?.includes('superseded') === true,
  )
  const twins = namesOf(members, ({ hazards }) => hazards?.includes('another primary') === true)
  return [
    ...(superseded.length === 0 ? [] : [`superseded: ${superseded.join(', ')}`]),
    ...(twins.length === 0 ? [] : [`another primary is reported by ${twins.join(', ')}`]),
  ]
}

const namesOf = (
  members: readonly MemberView[],
  isMeant: (member: MemberView) => boolean,
): readonly string[] => members.filter(isMeant).map(({ name }) => name)
