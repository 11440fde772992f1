/**
 * All members of a cluster, as one daemon knows them, as JSON: `GET /cluster`. The form is that of
 * Patroni (docs/rest_api.rst, "Cluster status endpoints"), with further fields. The shape is
 * stable: fields are added, never renamed or removed. fixtures/docs/cluster.md documents each.
 */
import { lagBehind } from '../decide/lag.ts'
import type { Member } from '../decide/member.ts'
import type { Answer } from '../decide/verdict.ts'
import { printJson, type Json } from './snapshot-json.ts'

/** Where a daemon answers HTTP. */
export type DaemonAddress = {
  readonly secure: boolean
  /** A name or an address. */
  readonly host: string
  readonly port: number
}

/** What is known of a member that is asked. */
export type PeerSight = {
  readonly address: DaemonAddress
  /** It is this daemon. */
  readonly isSelf: boolean
  /** What it said last; null for nothing. */
  readonly member: Member | null
  /** Since then; null if there is nothing. */
  readonly ageMs: number | null
  /** Why nothing is known of it now; null if it answers. */
  readonly silentBecause: string | null
}

type Sight = Omit<PeerSight, 'isSelf'>

/** `address` is where we were asked. What the peers know us by takes precedence. */
export const clusterDocument = (
  own: { readonly member: Member; readonly address: DaemonAddress },
  peers: readonly PeerSight[],
): string => {
  const self = peers.find(({ isSelf }) => isSelf)
  const address = self?.address ?? own.address
  const sights: readonly Sight[] = [
    { address, member: own.member, ageMs: 0, silentBecause: null },
    ...peers.filter(({ isSelf }) => !isSelf),
  ]
  const heard = sights.flatMap(sight => heardFrom(sight) ?? [])
  const names = sights.map(nameOf)
  const isUnique = (name: string): boolean => names.indexOf(name) === names.lastIndexOf(name)
  const scope = own.member.systemIdentifier
  return printJson({
    members: sights.map(sight => {
      const name = nameOf(sight)
      // Several servers of one host have its name.
      const shown = isUnique(name) ? name : `${name}:${sight.address.port}`
      return sightJson(sight, { name: shown, heard, scope })
    }),
    scope: scope === null ? null : scope.toString(),
  })
}

/** Null for a member that is silent. */
const heardFrom = ({ member, silentBecause }: Sight): Member | null =>
  silentBecause === null ? member : null

const nameOf = ({ address, member }: Sight): string =>
  member?.name ?? `${inUrl(address.host)}:${address.port}`

const inUrl = (host: string): string => (host.includes(':') ? `[${host}]` : host)

const urlOf = ({ secure, host, port }: DaemonAddress): string =>
  `${secure ? 'https' : 'http'}://${inUrl(host)}:${port}/status`

type Context = {
  readonly name: string
  readonly heard: readonly Member[]
  /** The system identifier of the cluster. */
  readonly scope: Member['systemIdentifier']
}

type Fields = { readonly [field: string]: Json }

const sightJson = (sight: Sight, context: Context): Fields => {
  const { address, member, ageMs, silentBecause } = sight
  const heard = heardFrom(sight)
  return {
    name: context.name,
    role: heard === null ? 'unknown' : roles[heard.answer],
    state: heard === null ? 'unknown' : stateOf(heard),
    api_url: urlOf(address),
    host: address.host,
    ...known('port', member?.port),
    ...known('timeline', member?.history?.timeline),
    ...(heard?.answer === 'primary' ? {} : { lag: lagFor(heard, context) ?? 'unknown' }),
    answer: heard && heard.answer,
    rule: heard && heard.rule,
    because: heard === null ? silentBecause : reasonOf(heard, context),
    age_ms: ageMs === null ? null : Math.round(ageMs),
    hazards: heard && heard.hazards,
  }
}

/** As in Patroni's document, what is not known is left out. */
const known = (field: string, value: number | null | undefined): Fields =>
  value === null || value === undefined ? {} : { [field]: value }

const roles: Readonly<Record<Answer, string>> = {
  primary: 'leader',
  standby: 'replica',
  unavailable: 'unavailable',
}

const lagFor = (member: Member | null, { heard }: Context): number | null =>
  member?.answer === 'standby' ? lagBehind(member, heard) : null

const reasonOf = ({ because, systemIdentifier }: Member, { scope }: Context): string =>
  systemIdentifier === null || scope === null || systemIdentifier === scope
    ? because
    : `its system identifier ${systemIdentifier} is that of another cluster; ${because}`

/** In a word of Patroni where it has one. */
const stateOf = ({ answer, replication, rule }: Member): string => {
  if (answer === 'unavailable') return states.get(rule) ?? 'unknown'
  if (replication === null || replication === 'unknown') return 'running'
  return replication
}

/** By the rule why there is no role. The others do not show what the server does. */
const states: ReadonlyMap<string, string> = new Map([
  ['no lock file', 'stopped'],
  ['postmaster gone', 'stopped'],
  ['postmaster is a stranger', 'stopped'],
  ['pulse lost', 'stopped'],
  ['coming up', 'starting'],
  ['starting', 'starting'],
  ['crash recovery', 'starting'],
  ['stopping', 'stopping'],
  ['ended in recovery', 'stopping'],
  ['crash restart', 'restarting'],
  ['no checkpointer', 'restarting'],
  ['hot standby off', 'running'],
  ['superseded', 'running'],
  ['asking peers', 'running'],
])
