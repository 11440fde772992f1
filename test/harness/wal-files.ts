/** Segments of the write-ahead log, made up: headers of pages and nothing else. */
import { closeSync, openSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { placeOfPage, type WalGeometry, type WalPage } from '../../src/facts/decode/wal-page.ts'
import type { TimelineId } from '../../src/facts/units.ts'

/** As the server begins it, for any version. */
export const pageHeader = (page: WalPage, { pageSize }: WalGeometry): Uint8Array => {
  const header = new Uint8Array(24)
  const view = new DataView(header.buffer)
  view.setUint16(0, 0xd118, true)
  view.setUint32(4, 1, true)
  view.setBigUint64(8, BigInt(page) * BigInt(pageSize), true)
  return header
}

export type WalFolder = {
  /** Writes pages from the first to the last. */
  readonly write: (first: WalPage, last: WalPage) => void
  /** Leaves in the place of a page what an older segment had there. */
  readonly recycle: (page: WalPage, from: WalPage) => void
}

export const walFolder = (
  folder: string,
  geometry: WalGeometry,
  timeline = 1 as TimelineId,
): WalFolder => {
  const put = (page: WalPage, header: Uint8Array): void => {
    const { file, offset } = placeOfPage(page, timeline, geometry)
    const descriptor = openSync(join(folder, file), 'a+')
    closeSync(descriptor)
    const writer = openSync(join(folder, file), 'r+')
    writeSync(writer, header, 0, header.length, offset)
    closeSync(writer)
  }
  return {
    write: (first, last) => {
      for (let page = first; page <= last; page += 1) put(page, pageHeader(page, geometry))
    },
    recycle: (page, from) => {
      put(page, pageHeader(from, geometry))
    },
  }
}
