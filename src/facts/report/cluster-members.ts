/** All members of a cluster, as one daemon knows them: itself, and the peers that it asks. */
import { lagBehind } from '../decide/lag.ts'
import type { Member } from '../decide/member.ts'
import type { Answer } from '../decide/verdict.ts'
import type { SystemIdentifier } from '../units.ts'
import type { MemberView } from './cluster-view.ts'
import type { Phase } from './phases.ts'

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
  /** Oldest first. */
  readonly phases: readonly Phase[]
}

export type Cluster = {
  readonly scope: SystemIdentifier | null
  /** Of the daemon that was asked. */
  readonly address: DaemonAddress
  /** The first is the daemon that was asked. */
  readonly members: readonly ClusterMember[]
}

/** Names are unique. */
export type ClusterMember = MemberView & {
  readonly address: DaemonAddress
  /** Of the server, for database clients; null if it is not known. */
  readonly port: number | null
  /** Null for a member that is silent. */
  readonly answer: Answer | null
  readonly phases: readonly Phase[]
}

type Sight = Omit<PeerSight, 'isSelf'>

/** `address` is where we were asked. What the peers know us by takes precedence. */
export const clusterOf = (
  own: {
    readonly member: Member
    readonly address: DaemonAddress
    readonly phases: readonly Phase[]
  },
  peers: readonly PeerSight[],
): Cluster => {
  const self = peers.find(({ isSelf }) => isSelf)
  const { member, phases } = own
  const address = self?.address ?? own.address
  const sights: readonly Sight[] = [
    { address, member, ageMs: 0, silentBecause: null, phases },
    ...peers.filter((peer, index) => !peer.isSelf && !isListedBefore(peer, peers.slice(0, index))),
  ]
  const heard = sights.flatMap(sight => heardFrom(sight) ?? [])
  const names = sights.map(nameOf)
  const isUnique = (name: string): boolean => names.indexOf(name) === names.lastIndexOf(name)
  const scope = member.systemIdentifier
  return {
    scope,
    address,
    members: sights.map(sight => {
      const name = nameOf(sight)
      // Several servers of one host have its name.
      const shown = isUnique(name) ? name : `${name}:${sight.address.port}`
      return memberView(sight, { name: shown, heard, scope })
    }),
  }
}

/** The same daemon, with another address. */
const isListedBefore = ({ member }: PeerSight, earlier: readonly PeerSight[]): boolean =>
  member !== null && earlier.some(peer => peer.member?.instance === member.instance)

/** Null for a member that is silent. */
const heardFrom = ({ member, silentBecause }: Sight): Member | null =>
  silentBecause === null ? member : null

const nameOf = ({ address, member }: Sight): string => member?.name ?? hostAndPort(address)

/** As in a URL. */
export const hostAndPort = ({ host, port }: DaemonAddress): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`

/** Without a path. */
export const urlOf = (address: DaemonAddress): string =>
  `${address.secure ? 'https' : 'http'}://${hostAndPort(address)}`

type Context = {
  readonly name: string
  readonly heard: readonly Member[]
  /** The system identifier of the cluster. */
  readonly scope: Member['systemIdentifier']
}

const memberView = (sight: Sight, context: Context): ClusterMember => {
  const { address, member, ageMs, silentBecause, phases } = sight
  const heard = heardFrom(sight)
  return {
    name: context.name,
    role: heard === null ? 'unknown' : roles[heard.answer],
    state: heard === null ? 'unknown' : stateOf(heard),
    address,
    port: member?.port ?? null,
    timeline: member?.history?.timeline ?? null,
    lag: heard?.answer === 'primary' ? null : (lagFor(heard, context) ?? 'unknown'),
    answer: heard && heard.answer,
    rule: heard && heard.rule,
    because: heard === null ? silentBecause : reasonOf(heard, context),
    ageMs: ageMs === null ? null : Math.round(ageMs),
    hazards: heard && heard.hazards,
    phases,
  }
}

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
  ['not the postmaster', 'stopped'],
  ['server process gone', 'stopped'],
  ['lock file incomplete', 'starting'],
  ['starting', 'starting'],
  ['crash recovery', 'starting'],
  ['stopping', 'stopping'],
  ['shut down in recovery', 'stopping'],
  ['crash restart', 'restarting'],
  ['no checkpointer', 'restarting'],
  ['hot standby off', 'running'],
  ['superseded', 'running'],
  ['asking peers', 'running'],
])
