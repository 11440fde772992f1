/**
 * Determines whether a standby without its signal file has lost it or is being promoted.
 *
 * A server that leaves recovery stops its WAL receiver, makes the first segment of its new timeline
 * and only then removes the file (measured on 10 to 18); it may then wait for minutes, for a
 * restore_command or for the checkpoint that ends recovery. So one list of pg_wal, made once the
 * file is found gone, decides. A standby with a WAL receiver is not being promoted, and has
 * segments of a higher timeline in pg_wal that it has yet to replay when its upstream was promoted.
 *
 * No verdict depends on it, and no look waits for it: pg_wal may be on another disk.
 */
import { join } from 'node:path'
import { laterTimeline, replayTimeline, timelineOf } from '../facts/decide/reason.ts'
import type { Evidence } from '../facts/decide/evidence.ts'
import {
  isSameProcess,
  walDirectory,
  type Child,
  type PromotionSighting,
} from '../facts/decide/sightings.ts'
import { symptomsOf } from '../facts/decide/symptoms.ts'
import type { Timers } from '../facts/timers.ts'
import { type TimelineId, timelineOfSegment } from '../facts/units.ts'
import { pause } from './system/clock.ts'
import { namesIn } from './files/disk.ts'
import type { StandbyTitles } from './processes/standby-titles.ts'
import { nullInShortage } from './system/system-error.ts'

export type PromotionWatch = {
  readonly see: (evidence: Evidence) => {
    readonly promotion: PromotionSighting
    /** Resolves when it is known; absent if it is known now. */
    readonly reading?: Promise<void>
  }
}

/** From a look that finds no signal file until one that does. */
type Episode = {
  readonly startup: Child
  promotion: PromotionSighting
  /** The latest timeline known to be that of recovery. */
  timeline: TimelineId | null
  reading: Promise<void> | null
  /** It need not be read again. */
  decided: boolean
}

/**
 * Longer than most promotions take from there (up to 117 ms were measured): during these, reading
 * would delay the look that finds the new primary.
 */
const delayMs = 500

export const createPromotionWatch = (
  titles: StandbyTitles,
  timers: Pick<Timers, 'after'>,
): PromotionWatch => {
  let episode: Episode | null = null

  const readLater = async (of: Episode, evidence: Evidence): Promise<void> => {
    await pause(timers, delayMs)
    if (episode === of) await read(of, evidence)
  }
  const read = async (of: Episode, evidence: Evidence): Promise<void> => {
    const now = await titles.asOfNow(evidence)
    const { children } = now
    of.timeline = laterTimeline(of.timeline, replayTimeline(now))
    const mayLeave =
      children.kind === 'present' && children.walreceiver === null && !children.titlesIncomplete
    const isLeaving =
      mayLeave && (await nullInShortage(() => hasSegmentAfter(of.timeline, evidence)))
    of.reading = null
    if (isLeaving === null) return
    of.promotion = isLeaving ? 'under way' : 'none'
    // Being found under way it is looked for again: replay may arrive on that timeline.
    of.decided = mayLeave && !isLeaving
  }

  return {
    see: evidence => {
      const startup = startupWithoutRequest(evidence)
      if (startup === null) {
        episode = null
        return { promotion: 'not checked' }
      }
      if (episode === null || !isSameProcess(episode.startup, startup)) {
        // Just before a promotion completes the control file has the new timeline already.
        const timeline = timelineOf(evidence)
        episode = { startup, promotion: 'being checked', timeline, reading: null, decided: false }
      }
      const { promotion, decided } = episode
      if (promotion === 'being checked') episode.reading ??= readLater(episode, evidence)
      else if (!decided) episode.reading ??= read(episode, evidence)
      return promotion === 'being checked' && episode.reading !== null
        ? { promotion, reading: episode.reading }
        : { promotion }
    },
  }
}

/** The startup process of a standby without a recovery request; null for any other server. */
const startupWithoutRequest = (evidence: Evidence): Child | null => {
  const { cluster, nextStart } = symptomsOf(evidence)
  if (cluster !== 'in archive recovery' || nextStart !== 'primary') return null
  return evidence.children.kind === 'present' ? evidence.children.startup : null
}

const hasSegmentAfter = async (
  timeline: TimelineId | null,
  { path, directory }: Evidence,
): Promise<boolean> => {
  const names = await namesIn(join(path, walDirectory(directory)))
  return names?.some(name => (timelineOfSegment(name) ?? 0) > (timeline ?? Infinity)) ?? false
}
