/**
 * Asks the peers, at an interval and when it matters, and keeps what they said last.
 *
 * The verdict waits for the peers only if it is not known how the server became a primary: at the
 * start of the daemon, when another postmaster appears, and when that is a primary at last, which
 * may be much later. A primary that was seen as a standby before was promoted, and waits for no
 * peer.
 */
import type { Evidence } from '../../facts/decide/evidence.ts'
import type { Member } from '../../facts/decide/member.ts'
import {
  hear,
  standingOf,
  type Standing,
  type WhenSuperseded,
  type Word,
} from '../../facts/decide/standing.ts'
import type { Verdict } from '../../facts/decide/verdict.ts'
import type { PeerSight } from '../../facts/report/cluster-members.ts'
import type { Report } from '../../facts/report/event.ts'
import { phaseOf, silence, withPhase, type Phase } from '../../facts/report/phases.ts'
import type { Timer } from '../../facts/timers.ts'
import type { Lsn, MonotonicMs } from '../../facts/units.ts'
import type { Clock } from '../system/clock.ts'
import type { AskPeer, Asking, Peer, PeerAnswer } from './peer-request.ts'

export type PeerWatch = {
  /** To be called with what each look found: what the words of the peers mean for it. */
  readonly judge: (evidence: Evidence, verdict: Verdict) => Standing
  /** What each peer said last. */
  readonly words: () => readonly Word[]
  /** A peer that has answered since then is still there, as far as is known. */
  readonly heardSince: () => MonotonicMs
  /** What is known of each peer now, in the order of the configuration. */
  readonly sights: () => readonly PeerSight[]
  readonly close: () => void
}

type Known = {
  readonly peer: Peer
  word: Word | null
  asking: Asking<Member> | null
  next: Timer | null
  /** Since when the verdict waits for its answer; null if it does not. */
  awaitedSince: MonotonicMs | null
  /** Why there was no answer to the last question; null if there was one. */
  silentBecause: string | null
  /** Each reason that was reported since the last answer. */
  readonly reported: Set<string>
  phases: readonly Phase[]
  /** It is this daemon. */
  isSelf: boolean
}

/** More would only be noise for the other one. */
const everyMsMin = 1000
/** After an answer that leaves open what the verdict waits for. */
const againMs = 20
/** Another program there may answer something else each time. */
const reasonsMax = 8

export const createPeerWatch = (needs: {
  readonly peers: readonly Peer[]
  readonly ask: AskPeer
  readonly clock: Clock
  readonly intervalMs: number
  readonly timeoutMs: number
  /** The result of an older check tells nothing. */
  readonly ageMsMax: number
  readonly whenSuperseded: WhenSuperseded
  /** See WalPositions. Asked when the peers are asked at once. */
  readonly walPosition: (evidence: Evidence) => Promise<Lsn | null>
  /** What our own daemon tells: see Member. */
  readonly instance: string
  readonly report: Report
  /** Called after each answer, or none in time: the same look may be judged differently now. */
  readonly heard: () => void
}): PeerWatch => {
  const { ask, clock, timeoutMs, report } = needs
  const everyMs = Math.max(needs.intervalMs, everyMsMin)
  /** Within this time each peer has been asked, and has answered or not. */
  const roundMs = 3 * everyMs + timeoutMs
  const all = needs.peers.map((peer): Known => ({
    peer,
    word: null,
    asking: null,
    next: null,
    awaitedSince: null,
    silentBecause: null,
    reported: new Set(),
    phases: [],
    isSelf: false,
  }))
  let postmaster: string | null = null
  let wasStandby = false
  let wasPrimary = false
  let heardAt: MonotonicMs | null = null
  let walPosition: Lsn | null = null
  let closed = false

  const askNow = (of: Known): void => {
    of.asking?.cancel()
    of.next?.cancel()
    const asking = ask(of.peer, timeoutMs)
    of.asking = asking
    void awaitAnswer(of, asking)
  }

  const awaitAnswer = async (of: Known, asking: Asking<Member>): Promise<void> => {
    const answer = await asking.answer
    if (closed || of.asking !== asking) return
    of.asking = null
    if (settles(of, answer)) of.awaitedSince = null
    of.next = clock.after(of.awaitedSince === null ? everyMs : againMs, () => {
      askNow(of)
    })
    accept(of, answer)
  }

  /**
   * A primary that has yet to read the history of its timeline has not said who replaced whom. One
   * that never can counts as one that does not answer.
   */
  const settles = ({ awaitedSince }: Known, answer: PeerAnswer): boolean => {
    if (!answer.ok || answer.fact.answer !== 'primary' || answer.fact.history !== null) return true
    return awaitedSince === null || clock.monotonic() - awaitedSince >= timeoutMs
  }

  const accept = (of: Known, answer: PeerAnswer): void => {
    heardAt = clock.monotonic()
    of.silentBecause = answer.ok ? null : answer.fault
    const now = clock.unix()
    of.phases = withPhase(
      of.phases,
      answer.ok ? phaseOf(answer.fact, now) : silence(answer.fault, now),
    )
    if (answer.ok) hearFrom(of, answer.fact, heardAt)
    else hearNothingFrom(of, answer.fault)
    needs.heard()
  }

  const hearNothingFrom = ({ peer, reported }: Known, because: string): void => {
    if (reported.has(because) || reported.size >= reasonsMax) return
    reported.add(because)
    report({ kind: 'peer check failed', peer: peer.text, because })
  }

  const hearFrom = (of: Known, member: Word['member'], at: MonotonicMs): void => {
    const { peer, word } = of
    of.reported.clear()
    if (member.instance === needs.instance) {
      if (!of.isSelf) report({ kind: 'peer is this server', peer: peer.text })
      of.isSelf = true
      of.word = null
      return
    }
    of.isSelf = false
    of.word = hear(word, { peer: peer.text, member, heardAt: at }, needs.ageMsMax)
    const before = word?.member
    if (before?.answer === member.answer && timelineOf(before) === timelineOf(member)) return
    const { answer: role } = member
    report({ kind: 'peer changed', peer: peer.text, role, timeline: timelineOf(member) })
  }

  const askAll = (evidence: Evidence): void => {
    for (const known of all) askNow(known)
    if (all.length > 0) void readPosition(evidence)
  }
  const readPosition = async (evidence: Evidence): Promise<void> => {
    walPosition = await needs.walPosition(evidence)
    if (!closed) needs.heard()
  }

  const words = (): readonly Word[] => all.flatMap(({ word }) => word ?? [])
  const heardSince = (): MonotonicMs => (clock.monotonic() - roundMs) as MonotonicMs
  const stand = (evidence: Evidence, verdict: Verdict): Standing =>
    standingOf(evidence, verdict, {
      words: words(),
      awaited: wasStandby ? null : awaitedFor(evidence, all),
      whenSuperseded: needs.whenSuperseded,
      walPosition,
      heardSince: heardSince(),
    })

  return {
    words,
    heardSince,
    sights: () => all.map(known => sightOf(known, clock.monotonic(), heardSince())),
    judge: (evidence, verdict) => {
      const now = postmasterOf(evidence)
      const isPrimary = verdict.kind === 'available' && verdict.role === 'primary'
      // This process may have been suspended, and with it the machine.
      const isOld = heardAt === null || clock.monotonic() - heardAt > roundMs
      if (isOld || (now !== null && now !== postmaster)) {
        postmaster = now
        wasStandby = false
        heardAt = clock.monotonic()
        for (const known of all) known.awaitedSince = heardAt
        askAll(evidence)
      } else if (isPrimary && !wasPrimary) {
        // What they said at its start may be old by now. Who was silent then is not waited for.
        for (const known of all)
          if (known.silentBecause === null) known.awaitedSince = clock.monotonic()
        askAll(evidence)
      }
      wasPrimary = isPrimary
      wasStandby ||= verdict.kind === 'available' && verdict.role === 'standby'
      return stand(evidence, verdict)
    },
    close: () => {
      closed = true
      for (const { asking, next } of all) {
        asking?.cancel()
        next?.cancel()
      }
    },
  }
}

const sightOf = (of: Known, now: MonotonicMs, heardSince: MonotonicMs): PeerSight => {
  const { peer: address, isSelf, word, silentBecause, phases } = of
  const known = { address, isSelf, phases }
  if (word === null) {
    return { ...known, member: null, ageMs: null, silentBecause: silentBecause ?? notYet }
  }
  const { member, heardAt } = word
  const isRecent = heardAt >= heardSince
  return {
    ...known,
    member,
    ageMs: now - heardAt,
    silentBecause: silentBecause ?? (isRecent ? null : notYet),
  }
}

/** At the start, and after this process was suspended. */
const notYet = 'it has not answered yet'

const timelineOf = ({ history }: Word['member']) => history?.timeline ?? null

const awaitedFor = ({ timelineHistory }: Evidence, all: readonly Known[]): string | null => {
  if (all.length === 0) return null
  const peers = all.filter(({ awaitedSince }) => awaitedSince !== null).map(({ peer }) => peer.text)
  if (peers.length > 0) return `the answer of ${peers.join(', ')}`
  return timelineHistory.kind === 'being read' ? 'the history of the timeline' : null
}

/** Null if there is none. */
const postmasterOf = ({ lockFile }: Evidence): string | null =>
  lockFile.kind === 'present' ? `${lockFile.fact.pid} ${lockFile.fact.startTime}` : null
