/**
 * Whether a standby without its signal file has lost it or is being promoted.
 *
 * A server that leaves recovery stops its WAL receiver, makes the first segment of its new timeline
 * and only then removes the file (measured on 10 to 18); it may then wait for minutes, for a
 * restore_command or for the checkpoint that ends recovery. So one list of pg_wal, made once the
 * file is found gone, decides. A standby with a WAL receiver is not being promoted, and has
 * segments of a higher timeline in pg_wal that it has yet to replay when its upstream was promoted.
 *
 * No verdict depends on it, and looks do not wait for it: pg_wal may be on another disk.
 */
import { join } from 'node:path'
import { laterTimeline, replayTimeline, timelineOf } from '../facts/because.ts'
import type { Evidence } from '../facts/evidence.ts'
import {
  isSameProcess,
  majorVersion,
  type Child,
  type PromotionSighting,
} from '../facts/sightings.ts'
import { symptomsOf } from '../facts/symptoms.ts'
import type { Timers } from '../facts/timers.ts'
import type { TimelineId } from '../facts/units.ts'
import { timelineOfSegment } from '../facts/wal-file.ts'
import { pause } from './clock.ts'
import { namesIn } from './disk.ts'
import type { StandbyTitles } from './standby-titles.ts'

export type PromotionWatch = {
  readonly see: (evidence: Evidence) => {
    readonly promotion: PromotionSighting
    /** Resolves when it is known; absent when it is. */
    readonly reading?: Promise<void>
  }
}

/** From a look that misses the signal file until one that does not. */
type Episode = {
  readonly startup: Child
  promotion: PromotionSighting
  /** The latest timeline known to be that of recovery. */
  timeline: TimelineId | null
  reading: Promise<void> | null
  /** There is nothing to read again. */
  decided: boolean
}

/**
 * Longer than most promotions take from there (up to 117 ms were measured): in these, whatever is
 * read takes the processor from the look that finds the new primary.
 */
const patienceMs = 500

export const createPromotionWatch = (
  titles: StandbyTitles,
  timers: Pick<Timers, 'after'>,
): PromotionWatch => {
  let episode: Episode | null = null

  const readLater = async (of: Episode, evidence: Evidence): Promise<void> => {
    await pause(timers, patienceMs)
    if (episode === of) await read(of, evidence)
  }
  const read = async (of: Episode, evidence: Evidence): Promise<void> => {
    const now = await titles.asOfNow(evidence)
    const { children } = now
    of.timeline = laterTimeline(of.timeline, replayTimeline(now))
    const mayLeave =
      children.kind === 'seen' && children.walreceiver === null && !children.illegible
    const isLeaving = mayLeave && (await hasSegmentAfter(of.timeline, evidence))
    of.promotion = isLeaving ? 'under way' : 'none'
    // Being found under way it is looked for again: replay may arrive on that timeline.
    of.decided = mayLeave && !isLeaving
    of.reading = null
  }

  return {
    see: evidence => {
      const startup = startupWithoutRequest(evidence)
      if (startup === null) {
        episode = null
        return { promotion: 'not looked for' }
      }
      if (episode === null || !isSameProcess(episode.startup, startup)) {
        // Just before a promotion completes the control file has the new timeline already.
        const timeline = timelineOf(evidence)
        episode = { startup, promotion: 'being read', timeline, reading: null, decided: false }
      }
      const { promotion, decided } = episode
      if (promotion === 'being read') episode.reading ??= readLater(episode, evidence)
      else if (!decided) episode.reading ??= read(episode, evidence)
      return promotion === 'being read' && episode.reading !== null
        ? { promotion, reading: episode.reading }
        : { promotion }
    },
  }
}

/** The startup process of a standby that no file asks to be one; null of any other server. */
const startupWithoutRequest = (evidence: Evidence): Child | null => {
  const { cluster, nextStart } = symptomsOf(evidence)
  if (cluster !== 'in archive recovery' || nextStart !== 'none') return null
  return evidence.children.kind === 'seen' ? evidence.children.startup : null
}

const hasSegmentAfter = async (
  timeline: TimelineId | null,
  { path, directory }: Evidence,
): Promise<boolean> => {
  const major = majorVersion(directory) ?? Infinity
  const names = await namesIn(join(path, major < 10 ? 'pg_xlog' : 'pg_wal'))
  return names?.some(name => (timelineOfSegment(name) ?? 0) > (timeline ?? Infinity)) ?? false
}
