/**
 * global/pg_control decoded: what the cluster last wrote about itself.
 *
 * Source: src/include/catalog/pg_control.h of each PostgreSQL version, see control-layouts.ts. The
 * file is written in the byte order of the server, which is little endian on everything we run on
 * (x86-64, arm64, riscv64, ppc64le); a file of the other order is told apart and refused.
 *
 * Nothing but the two version numbers is believed before the checksum has been found right.
 */
import { commonOffsets, layoutFor, newestControlVersion } from './control-layouts.ts'
import type { ControlLayout } from './control-layouts.ts'
import { crc32c, legacyCrc32 } from './crc32c.ts'
import { fact, fault, type Outcome } from './outcome.ts'
import type { Lsn, SystemIdentifier, TimelineId, UnixSeconds } from './units.ts'

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

export type ControlFile = {
  readonly systemIdentifier: SystemIdentifier
  readonly controlVersion: number
  readonly catalogVersion: number
  readonly state: ClusterState
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
}

export type ControlFileFault =
  | { readonly kind: 'too short'; readonly bytes: number; readonly wanted: number }
  | { readonly kind: 'wrong byte order' }
  | { readonly kind: 'bad checksum'; readonly stored: number; readonly computed: number }
  /** A CRC-valid file with a state number that no known version writes. */
  | { readonly kind: 'unknown state'; readonly state: number }
  /** `checksumAt`: where scanning found the checksum, in bytes; null when nowhere. */
  | {
      readonly kind: 'unknown version'
      readonly controlVersion: number
      readonly catalogVersion: number
      readonly checksumAt: number | null
    }

/** PG_CONTROL_MAX_SAFE_SIZE: the server keeps what matters within one disk sector. */
export const controlFileBytesMax = 512

/** Up to and including the two version numbers. */
const headerBytes = 16

export const decodeControlFile = (bytes: Uint8Array): Outcome<ControlFile, ControlFileFault> => {
  const sector = bytes.subarray(0, controlFileBytesMax)
  if (sector.length < headerBytes) return tooShort(sector, headerBytes)
  const view = new DataView(sector.buffer, sector.byteOffset, sector.byteLength)
  const controlVersion = view.getUint32(commonOffsets.controlVersion, true)
  const catalogVersion = view.getUint32(commonOffsets.catalogVersion, true)
  if (isByteSwapped(controlVersion)) return fault({ kind: 'wrong byte order' })
  const layout = layoutFor({ controlVersion, catalogVersion })
  if (layout === null) {
    const checksumAt = findChecksum(sector, view)
    return fault({ kind: 'unknown version', controlVersion, catalogVersion, checksumAt })
  }
  const wanted = layout.checksumAt + checksumBytes
  if (sector.length < wanted) return tooShort(sector, wanted)
  const stored = view.getUint32(layout.checksumAt, true)
  const computed = checksumOf(sector.subarray(0, layout.checksumAt), layout)
  if (stored !== computed) return fault({ kind: 'bad checksum', stored, computed })
  const stateNumber = view.getUint32(commonOffsets.state, true)
  const state = clusterStates[stateNumber]
  if (state === undefined) return fault({ kind: 'unknown state', state: stateNumber })
  return fact({
    systemIdentifier: view.getBigUint64(commonOffsets.systemIdentifier, true) as SystemIdentifier,
    controlVersion,
    catalogVersion,
    state,
    modified: readSeconds(view, commonOffsets.modified),
    checkpoint: readLsn(view, commonOffsets.checkpoint),
    redo: readLsn(view, layout.redo),
    checkpointTimeline: readTimeline(view, layout.timeline),
    checkpointTime: readSeconds(view, layout.checkpointTime),
    minRecoveryPoint: readLsn(view, layout.minRecoveryPoint),
    minRecoveryTimeline: readTimeline(view, layout.minRecoveryTimeline),
    walSegmentSize: view.getUint32(layout.walSegmentSize, true),
  })
}

const checksumBytes = 4

const tooShort = (bytes: Uint8Array, wanted: number): Outcome<never, ControlFileFault> =>
  fault({ kind: 'too short', bytes: bytes.length, wanted })

/** The test of pg_controldata.c: no version number is that high, and each has low bits. */
const isByteSwapped = (controlVersion: number): boolean =>
  controlVersion !== 0 && controlVersion % 0x1_0000 === 0

const checksumOf = (bytes: Uint8Array, { checksum }: ControlLayout): number =>
  checksum === 'crc-32c' ? crc32c(bytes) : legacyCrc32(bytes)

/** No version has had its checksum before byte 200, and none can have it after the sector. */
const scanFrom = 200
const alignment = 4

/**
 * Tells a version newer than this program from damage: somewhere in an intact file stands the
 * checksum of everything before it. In files of 10 to 18 there was exactly one such place.
 */
const findChecksum = (sector: Uint8Array, view: DataView): number | null => {
  for (let at = scanFrom; at + checksumBytes <= sector.length; at += alignment) {
    if (view.getUint32(at, true) === crc32c(sector.subarray(0, at))) return at
  }
  return null
}

const readLsn = (view: DataView, at: number): Lsn => view.getBigUint64(at, true) as Lsn

const readTimeline = (view: DataView, at: number): TimelineId =>
  view.getUint32(at, true) as TimelineId

/** pg_time_t: a signed number of 64 bits. */
const readSeconds = (view: DataView, at: number): UnixSeconds =>
  Number(view.getBigInt64(at, true)) as UnixSeconds

/** One line for a person, lower case, without a stop. */
export const describeControlFileFault = (broken: ControlFileFault): string => {
  switch (broken.kind) {
    case 'too short':
      return `it is ${broken.bytes} bytes long, wanted at least ${broken.wanted}`
    case 'wrong byte order':
      return 'its byte order is big endian, wanted little endian'
    case 'bad checksum':
      return `its checksum is ${hex(broken.stored)}, wanted ${hex(broken.computed)}`
    case 'unknown state':
      return `its cluster state is ${broken.state}, wanted 0 to ${clusterStates.length - 1}`
    case 'unknown version': {
      const version = `control version ${broken.controlVersion} (catalog ${broken.catalogVersion})`
      const where =
        broken.checksumAt === null
          ? 'no checksum was found in it'
          : `its checksum stands at byte ${broken.checksumAt}`
      return `${version} is not known, the newest known is ${newestControlVersion}; ${where}`
    }
  }
}

const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`
