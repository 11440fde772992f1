/**
 * global/pg_control decoded: what the cluster last wrote about itself.
 *
 * Source: src/include/catalog/pg_control.h of each PostgreSQL version, see control-layouts.ts. The
 * file is written in the byte order of the server, which is little endian on everything we run on
 * (x86-64, arm64, riscv64, ppc64le); a file of the other order is told apart and refused.
 *
 * Nothing but the two version numbers is believed before the checksum has been found right. Of a
 * version that is newer than this program, only what has never moved is believed then.
 */
import { checksumBytes, checksumPlaces, crc32c, legacyCrc32 } from './checksums.ts'
import type { ControlFileFault, Versions } from './control-file-fault.ts'
import { commonOffsets, layoutFor, newestControlVersion, walPageSizeAt } from './control-layouts.ts'
import type { ControlLayout } from './control-layouts.ts'
import { fact, fault, type Outcome } from '../outcome.ts'
import type { Lsn, SystemIdentifier, TimelineId, UnixSeconds } from '../units.ts'

/** DBState in the words of pg_controldata. */
export type ClusterState =
  | 'starting up'
  | 'shut down'
  | 'shut down in recovery'
  | 'shutting down'
  | 'in crash recovery'
  | 'in archive recovery'
  | 'in production'

/** In the order of DBState, which has been the same since 9.1. */
export const clusterStates: readonly ClusterState[] = [
  'starting up',
  'shut down',
  'shut down in recovery',
  'shutting down',
  'in crash recovery',
  'in archive recovery',
  'in production',
]

/** At the same place, with the same meaning, in every version from 9.4 to 19. */
type LastingFields = {
  readonly systemIdentifier: SystemIdentifier
  readonly controlVersion: number
  readonly catalogVersion: number
  readonly state: ClusterState
}

/** Their places are known from the layout alone. */
type LayoutFields = {
  /** When the file was last written. Up to PostgreSQL 14 not every write sets it. */
  readonly modified: UnixSeconds
  readonly checkpoint: Lsn
  readonly redo: Lsn
  /** Timeline of the last checkpoint: old until the checkpoint after a promotion has ended. */
  readonly checkpointTimeline: TimelineId
  readonly checkpointTime: UnixSeconds
  /** Zero on a primary. */
  readonly minRecoveryPoint: Lsn
  readonly minRecoveryTimeline: TimelineId
  /** In bytes: a power of two from 1 MiB to 1 GiB. */
  readonly walSegmentSize: number
  /** In bytes: a power of two from 1 KiB to 64 KiB. */
  readonly walPageSize: number
}

export type KnownControlFile = LastingFields & LayoutFields

/** Of a version that is newer than this program. */
export type NewerControlFile = LastingFields & { readonly [Name in keyof LayoutFields]: null }

export type ControlFile = KnownControlFile | NewerControlFile

export const hasKnownLayout = (controlFile: ControlFile): controlFile is KnownControlFile =>
  controlFile.modified !== null

/** PG_CONTROL_MAX_SAFE_SIZE: the server keeps what matters within one disk sector. */
export const controlFileBytesMax = 512

/** Up to and including the two version numbers. */
const headerBytes = 16

export const decodeControlFile = (bytes: Uint8Array): Outcome<ControlFile, ControlFileFault> => {
  const sector = bytes.subarray(0, controlFileBytesMax)
  if (sector.length < headerBytes) return tooShort(sector, headerBytes)
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength)
  const versions = {
    controlVersion: view.getUint32(commonOffsets.controlVersion, true),
    catalogVersion: view.getUint32(commonOffsets.catalogVersion, true),
  }
  if (isByteSwapped(versions.controlVersion)) return fault({ kind: 'wrong byte order' })
  const layout = layoutFor(versions)
  return layout === null
    ? decodeUnknownVersion(sector, view, versions)
    : decodeKnownVersion(sector, view, { layout, versions })
}

type Decoded = Outcome<ControlFile, ControlFileFault>

const decodeKnownVersion = (
  sector: Uint8Array,
  view: DataView,
  { layout, versions }: { readonly layout: ControlLayout; readonly versions: Versions },
): Decoded => {
  const { checksumAt } = layout
  const wanted = checksumAt + checksumBytes
  if (sector.length < wanted) return tooShort(sector, wanted)
  const stored = view.getUint32(checksumAt, true)
  const computed = checksums[layout.checksum](sector.subarray(0, checksumAt))
  if (stored !== computed) {
    const checksumsAt = checksumPlaces(sector, crc32c)
    return checksumsAt.length === 0
      ? fault({ kind: 'bad checksum', stored, computed })
      : fault({ kind: 'unknown layout', ...versions, wantedAt: checksumAt, checksumsAt })
  }
  const lasting = readLastingFields(view, versions)
  if (!lasting.ok) return lasting
  return fact({
    ...lasting.fact,
    modified: readSeconds(view, commonOffsets.modified),
    checkpoint: readLsn(view, commonOffsets.checkpoint),
    redo: readLsn(view, layout.redo),
    checkpointTimeline: readTimeline(view, layout.timeline),
    checkpointTime: readSeconds(view, layout.checkpointTime),
    minRecoveryPoint: readLsn(view, layout.minRecoveryPoint),
    minRecoveryTimeline: readTimeline(view, layout.minRecoveryTimeline),
    walSegmentSize: view.getUint32(layout.walSegmentSize, true),
    walPageSize: view.getUint32(walPageSizeAt(layout), true),
  })
}

/**
 * A newer version is trusted for what has never moved if the file is intact: exactly one place has
 * the checksum of all bytes before it, and it is the last word in use. (WriteControlFile() and
 * update_controlfile() fill the rest of the file with zeros since 12.)
 *
 * So there is one candidate, as in a file of a known version, and a torn read passes for intact as
 * rarely: once in 2^32 torn reads.
 */
const decodeUnknownVersion = (sector: Uint8Array, view: DataView, versions: Versions): Decoded => {
  if (sector.length < controlFileBytesMax) return tooShort(sector, controlFileBytesMax)
  const isNewer = versions.controlVersion > newestControlVersion
  const kinds = isNewer ? [crc32c] : [crc32c, legacyCrc32]
  const checksumsAt = kinds.flatMap(checksum => checksumPlaces(sector, checksum))
  const [checksumAt] = checksumsAt
  if (checksumAt === undefined) return fault({ kind: 'no checksum', ...versions })
  const isIntact = checksumsAt.length === 1 && checksumAt === lastWordInUse(sector)
  if (!isNewer || !isIntact) return fault({ kind: 'unknown version', ...versions, checksumsAt })
  const lasting = readLastingFields(view, versions)
  if (!lasting.ok) return lasting
  return fact({
    ...lasting.fact,
    modified: null,
    checkpoint: null,
    redo: null,
    checkpointTimeline: null,
    checkpointTime: null,
    minRecoveryPoint: null,
    minRecoveryTimeline: null,
    walSegmentSize: null,
    walPageSize: null,
  })
}

const lastWordInUse = (bytes: Uint8Array): number => {
  const last = bytes.findLastIndex(byte => byte !== 0)
  return last - (last % checksumBytes)
}

const checksums = { 'crc-32c': crc32c, 'legacy crc-32': legacyCrc32 } as const

const tooShort = (bytes: Uint8Array, wanted: number): Outcome<never, ControlFileFault> =>
  fault({ kind: 'too short', bytes: bytes.length, wanted })

/** The test of pg_controldata.c: no version number is that high, and each has low bits. */
const isByteSwapped = (controlVersion: number): boolean =>
  controlVersion !== 0 && controlVersion % 0x1_0000 === 0

const readLastingFields = (
  view: DataView,
  versions: Versions,
): Outcome<LastingFields, ControlFileFault> => {
  const number = view.getUint32(commonOffsets.state, true)
  const state = clusterStates[number]
  if (state === undefined) return fault({ kind: 'unknown state', state: number })
  const systemIdentifier = view.getBigUint64(commonOffsets.systemIdentifier, true)
  return fact({ systemIdentifier: systemIdentifier as SystemIdentifier, ...versions, state })
}

const readLsn = (view: DataView, at: number): Lsn => view.getBigUint64(at, true) as Lsn

const readTimeline = (view: DataView, at: number): TimelineId =>
  view.getUint32(at, true) as TimelineId

/** pg_time_t: a signed number of 64 bits. */
const readSeconds = (view: DataView, at: number): UnixSeconds =>
  Number(view.getBigInt64(at, true)) as UnixSeconds
