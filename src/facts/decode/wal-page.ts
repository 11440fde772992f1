/**
 * Pages of the write-ahead log: in which file each is, and the address in its header.
 *
 * Source: xlog_internal.h, 10 to 19. Each page begins with XLogPageHeaderData, of which bytes 8 to
 * 15 are the position of the page itself (`xlp_pageaddr`). A file that is recycled keeps its old
 * content until it is written again, so that the address tells whether a page is there. (Bytes 4 to
 * 7, the timeline, are those of an earlier one in what a promotion copied.)
 */
import type { Lsn, TimelineId } from '../units.ts'

/** In bytes: powers of two. */
export type WalGeometry = { readonly segmentSize: number; readonly pageSize: number }

/** Null for sizes that no server has. */
export const walGeometry = (sizes: {
  readonly walSegmentSize: number | null
  readonly walPageSize: number | null
}): WalGeometry | null => {
  const { walSegmentSize: segmentSize, walPageSize: pageSize } = sizes
  if (segmentSize === null || !isSize(segmentSize, segmentSizes)) return null
  return pageSize !== null && isSize(pageSize, pageSizes) ? { segmentSize, pageSize } : null
}

/** IsValidWalSegSize() since 11, and the choices of configure before. */
const segmentSizes = { least: 0x10_0000, greatest: 0x4000_0000 }
/** The choices of --with-wal-blocksize. */
const pageSizes = { least: 0x400, greatest: 0x1_0000 }

type Range = { readonly least: number; readonly greatest: number }

const isSize = (size: number, { least, greatest }: Range): boolean =>
  Number.isInteger(Math.log2(size)) && size >= least && size <= greatest

export const isSegmentSize = (size: number): boolean => isSize(size, segmentSizes)

/** Counted from position 0. Exact up to 2^53 pages, which are 8 EiB if a page has 1 KiB. */
export type WalPage = number

/** The page that has the byte before `lsn`, which is the end of something. */
export const pageBefore = (lsn: Lsn, { pageSize }: WalGeometry): WalPage =>
  Number((lsn - 1n) / BigInt(pageSize))

export const endOfPage = (page: WalPage, { pageSize }: WalGeometry): Lsn =>
  (BigInt(page + 1) * BigInt(pageSize)) as Lsn

/** The first page of the segment after that of `page`. */
export const pageOfNextSegment = (page: WalPage, geometry: WalGeometry): WalPage => {
  const pages = geometry.segmentSize / geometry.pageSize
  return (Math.floor(page / pages) + 1) * pages
}

export type PagePlace = { readonly file: string; readonly offset: number }

/** XLogFileName(): timeline, high half of the position, number of the segment within that. */
export const placeOfPage = (
  page: WalPage,
  timeline: TimelineId,
  { segmentSize, pageSize }: WalGeometry,
): PagePlace => {
  const pages = segmentSize / pageSize
  const segment = Math.floor(page / pages)
  const perHalf = 0x1_0000_0000 / segmentSize
  const numbers = [timeline, Math.floor(segment / perHalf), segment % perHalf]
  const file = numbers.map(number => number.toString(16).toUpperCase().padStart(8, '0')).join('')
  return { file, offset: (page % pages) * pageSize }
}

/** Up to and including the address. */
export const pageHeaderBytes = 16

/** Whether `header` begins that page. */
export const beginsPage = (
  header: Uint8Array,
  page: WalPage,
  { pageSize }: WalGeometry,
): boolean => {
  if (header.length < pageHeaderBytes) return false
  const view = new DataView(header.buffer, header.byteOffset, header.byteLength)
  const isWritten = view.getUint16(0, true) !== 0
  return isWritten && view.getBigUint64(8, true) === BigInt(page) * BigInt(pageSize)
}
