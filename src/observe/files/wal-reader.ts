/** Finds how far the write-ahead log has been written, from the headers of its pages. */
import { close, constants, open, read } from 'node:fs'
import { join } from 'node:path'
import {
  beginsPage,
  pageHeaderBytes,
  pageOfNextSegment,
  placeOfPage,
  type WalGeometry,
  type WalPage,
} from '../../facts/decode/wal-page.ts'
import type { TimelineId } from '../../facts/units.ts'
import { nullIfRefused } from '../system/system-error.ts'
import { called } from './disk.ts'

/**
 * What a search costs at most: half a second. 20 are usual. A server that switches segments by time
 * (archive_timeout) needs three for each of them, from the last checkpoint on.
 */
const searchReadsMax = 10_000

export type WalLog = {
  /** The folder of the segments. */
  readonly folder: string
  readonly timeline: TimelineId
  readonly geometry: WalGeometry
}

/**
 * The last page, if `from` is there; else null. Pages are written in order, so that the first one
 * that is missing is found by doubling the distance, and halving it. After a switch of segments the
 * rest of a segment is missing, and the next one goes on.
 */
export const findLastPage = async (
  log: WalLog,
  from: WalPage,
  readsMax = searchReadsMax,
): Promise<WalPage | null> => {
  const reader = createPageReader(log, readsMax)
  try {
    if (!(await reader.has(from))) return null
    let last = from
    for (;;) {
      last = await findGap(reader, last)
      const next = pageOfNextSegment(last, log.geometry)
      if (!(await reader.has(next))) break
      last = next
    }
    return reader.isExhausted() ? null : last
  } finally {
    reader.close()
  }
}

/** `last` is there; returns the page before the first that is missing, or before another gap. */
const findGap = async ({ has }: PageReader, last: WalPage): Promise<WalPage> => {
  let there = last
  let step = 1
  while (await has(there + step)) {
    there += step
    step *= 2
  }
  let missingAt = there + step
  while (missingAt - there > 1) {
    const middle = Math.floor((there + missingAt) / 2)
    if (await has(middle)) there = middle
    else missingAt = middle
  }
  return there
}

type PageReader = {
  /** Nothing is there once it is exhausted. */
  readonly has: (page: WalPage) => Promise<boolean>
  readonly isExhausted: () => boolean
  readonly close: () => void
}

/** A FIFO in the place of a segment must not block. */
const flags = constants.O_RDONLY | constants.O_NONBLOCK

/** Keeps the file of the last page open. A file that cannot be read has no page. */
const createPageReader = ({ folder, timeline, geometry }: WalLog, readsMax: number): PageReader => {
  const header = new Uint8Array(pageHeaderBytes)
  let current: { readonly file: string; readonly descriptor: number | null } | null = null
  let reads = 0

  const release = (): void => {
    const descriptor = current?.descriptor ?? null
    current = null
    if (descriptor !== null) close(descriptor, ignore)
  }
  const openFile = async (file: string): Promise<number | null> => {
    if (current?.file === file) return current.descriptor
    release()
    const descriptor = await nullIfRefused(() =>
      called<number>(done => open(join(folder, file), flags, done)),
    )
    current = { file, descriptor }
    return descriptor
  }
  return {
    has: async page => {
      reads += 1
      if (reads > readsMax) return false
      const { file, offset } = placeOfPage(page, timeline, geometry)
      const descriptor = await openFile(file)
      if (descriptor === null) return false
      const length = await nullIfRefused(() =>
        called<number>(done => read(descriptor, header, 0, pageHeaderBytes, offset, done)),
      )
      return beginsPage(header.subarray(0, length ?? 0), page, geometry)
    },
    isExhausted: () => reads > readsMax,
    close: release,
  }
}

const ignore = (): void => {}
