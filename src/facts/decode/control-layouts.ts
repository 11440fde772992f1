/**
 * Offsets of fields in pg_control, for each PostgreSQL version.
 *
 * Source: ControlFileData and CheckPoint in src/include/catalog/pg_control.h of each version,
 * compiled for 64 bits; 10 to 19 were compared with files and answers of running servers, 19 with
 * those of its rc1. `redo`, `timeline` and `checkpointTime` are members of checkPointCopy, which
 * moved forward in 11, when prevCheckPoint went.
 */

/** Offsets in bytes. `checksum` is computed over all bytes before `checksumAt`. */
export type ControlLayout = {
  readonly version: string
  readonly controlVersion: number
  readonly catalogVersion: number
  readonly checksumAt: number
  readonly checksum: 'crc-32c' | 'legacy crc-32'
  readonly redo: number
  readonly timeline: number
  readonly checkpointTime: number
  readonly minRecoveryPoint: number
  readonly minRecoveryTimeline: number
  readonly walSegmentSize: number
}

/** Offsets that are the same in every version. */
export const commonOffsets = {
  systemIdentifier: 0,
  controlVersion: 8,
  catalogVersion: 12,
  state: 16,
  modified: 24,
  checkpoint: 32,
} as const

type Row = readonly [
  version: string,
  controlVersion: number,
  catalogVersion: number,
  checksumAt: number,
  checksum: ControlLayout['checksum'],
  redo: number,
  timeline: number,
  checkpointTime: number,
  minRecoveryPoint: number,
  minRecoveryTimeline: number,
  walSegmentSize: number,
]

// prettier-ignore
const rows: readonly Row[] = [
  // version, control, catalog, checksum at and kind, redo, timeline, time, minRecoveryPoint and TLI
  // and xlog_seg_size
  ['9.4',     942, 201409291, 240, 'legacy crc-32', 48, 56, 104, 128, 136, 212],
  ['9.5',     942, 201510051, 256, 'crc-32c',       48, 56, 104, 136, 144, 228],
  ['9.6',     960, 201608131, 256, 'crc-32c',       48, 56, 104, 136, 144, 228],
  ['10',     1002, 201707211, 288, 'crc-32c',       48, 56, 104, 136, 144, 228],
  ['11',     1100, 201809051, 280, 'crc-32c',       40, 48,  96, 128, 136, 220],
  ['12',     1201, 201909212, 288, 'crc-32c',       40, 48, 104, 136, 144, 228],
  ['13',     1300, 202007201, 288, 'crc-32c',       40, 48, 104, 136, 144, 228],
  ['14',     1300, 202107181, 288, 'crc-32c',       40, 48, 104, 136, 144, 228],
  ['15',     1300, 202209061, 288, 'crc-32c',       40, 48, 104, 136, 144, 228],
  ['16',     1300, 202307071, 288, 'crc-32c',       40, 48, 104, 136, 144, 228],
  ['17',     1700, 202406281, 288, 'crc-32c',       40, 48, 104, 136, 144, 228],
  ['18',     1800, 202506291, 292, 'crc-32c',       40, 48, 104, 136, 144, 228],
  // 19 has slru_pages_per_segment before xlog_blcksz. There is no 1903: a fork writes it, with
  // another layout.
  ['19beta', 1902, 202605131, 304, 'crc-32c',       40, 48, 112, 144, 152, 240],
  ['19',     1905, 202610061, 308, 'crc-32c',       40, 48, 112, 144, 152, 240],
]

const layoutOf = ([
  version,
  controlVersion,
  catalogVersion,
  checksumAt,
  checksum,
  redo,
  timeline,
  checkpointTime,
  minRecoveryPoint,
  minRecoveryTimeline,
  walSegmentSize,
]: Row): ControlLayout => ({
  version,
  controlVersion,
  catalogVersion,
  checksumAt,
  checksum,
  redo,
  timeline,
  checkpointTime,
  minRecoveryPoint,
  minRecoveryTimeline,
  walSegmentSize,
})

/** xlog_blcksz stands before xlog_seg_size in each version. */
export const walPageSizeAt = ({ walSegmentSize }: ControlLayout): number => walSegmentSize - 4

/** Oldest first. */
export const controlLayouts: readonly ControlLayout[] = rows.map(layoutOf)

export const newestControlVersion = Math.max(
  ...controlLayouts.map(({ controlVersion }) => controlVersion),
)

/**
 * The control version decides; only where two layouts share it (942) does the catalog version.
 * A beta has a catalog version of its own, older than that of the release it became: the first
 * release at or after it is meant, or else the newest that shares the control version.
 */
export const layoutFor = (versions: {
  readonly controlVersion: number
  readonly catalogVersion: number
}): ControlLayout | null => {
  const sharing = controlLayouts.filter(
    ({ controlVersion }) => controlVersion === versions.controlVersion,
  )
  const release = sharing.find(({ catalogVersion }) => catalogVersion >= versions.catalogVersion)
  return release ?? sharing.at(-1) ?? null
}
