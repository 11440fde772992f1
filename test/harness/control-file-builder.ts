/**
 * Forges global/pg_control as a server of any known version would write it: 8192 bytes, of which
 * only the layout's fields and the checksum are not zero. Any of them can be overridden, the
 * checksum too.
 */
import assert from 'node:assert'
import { clusterStates, type ClusterState } from '../../src/facts/decode/control-file.ts'
import {
  commonOffsets,
  controlLayouts,
  walPageSizeAt,
  type ControlLayout,
} from '../../src/facts/decode/control-layouts.ts'
import { crc32c, legacyCrc32 } from '../../src/facts/decode/checksums.ts'

/** PG_CONTROL_FILE_SIZE: what servers write from 12 on; older ones leave the rest as it was. */
export const controlFileBytes = 8192

export type ControlFileFields = {
  readonly systemIdentifier: bigint
  /** As written, whatever the layout says. */
  readonly controlVersion: number
  readonly catalogVersion: number
  /** A number where the state is to be one that does not exist. */
  readonly state: ClusterState | number
  readonly modified: number
  readonly checkpoint: bigint
  readonly redo: bigint
  readonly checkpointTimeline: number
  readonly checkpointTime: number
  readonly minRecoveryPoint: bigint
  readonly minRecoveryTimeline: number
  readonly walSegmentSize: number
  readonly walPageSize: number
  /** Null: the right one. */
  readonly checksum: number | null
}

export const layoutOfVersion = (version: string): ControlLayout => {
  const layout = controlLayouts.find(row => row.version === version)
  assert(layout !== undefined, `no layout of PostgreSQL ${version}`)
  return layout
}

/** As it may be one day: one more number before the checksum. */
export const layoutToCome: ControlLayout = {
  ...layoutOfVersion('19'),
  version: 'to come',
  controlVersion: 2000,
  catalogVersion: 202_706_301,
  checksumAt: 320,
}

/** A primary at work, unless told otherwise. */
export const forgeControlFile = (
  layout: ControlLayout,
  overrides: Partial<ControlFileFields> = {},
): Uint8Array<ArrayBuffer> => {
  const fields = { ...primaryOf(layout), ...overrides }
  const bytes = new Uint8Array(controlFileBytes)
  const view = new DataView(bytes.buffer)
  view.setBigUint64(commonOffsets.systemIdentifier, fields.systemIdentifier, true)
  view.setUint32(commonOffsets.controlVersion, fields.controlVersion, true)
  view.setUint32(commonOffsets.catalogVersion, fields.catalogVersion, true)
  view.setUint32(commonOffsets.state, stateNumber(fields.state), true)
  view.setBigInt64(commonOffsets.modified, BigInt(fields.modified), true)
  view.setBigUint64(commonOffsets.checkpoint, fields.checkpoint, true)
  view.setBigUint64(layout.redo, fields.redo, true)
  view.setUint32(layout.timeline, fields.checkpointTimeline, true)
  view.setBigInt64(layout.checkpointTime, BigInt(fields.checkpointTime), true)
  view.setBigUint64(layout.minRecoveryPoint, fields.minRecoveryPoint, true)
  view.setUint32(layout.minRecoveryTimeline, fields.minRecoveryTimeline, true)
  view.setUint32(layout.walSegmentSize, fields.walSegmentSize, true)
  view.setUint32(walPageSizeAt(layout), fields.walPageSize, true)
  view.setUint32(layout.checksumAt, fields.checksum ?? checksumOf(bytes, layout), true)
  return bytes
}

/** Any bytes under the version numbers of the layout and a checksum that is right for them. */
export const sealControlFile = (
  layout: ControlLayout,
  content: Uint8Array,
): Uint8Array<ArrayBuffer> => {
  const bytes = forgeControlFile(layout)
  const versions = bytes.slice(commonOffsets.controlVersion, commonOffsets.state)
  bytes.set(content.subarray(0, layout.checksumAt))
  bytes.set(versions, commonOffsets.controlVersion)
  const view = new DataView(bytes.buffer)
  view.setUint32(layout.checksumAt, checksumOf(bytes, layout), true)
  return bytes
}

const checksumOf = (bytes: Uint8Array, { checksum, checksumAt }: ControlLayout): number => {
  const checksummed = bytes.subarray(0, checksumAt)
  return checksum === 'crc-32c' ? crc32c(checksummed) : legacyCrc32(checksummed)
}

const primaryOf = ({ controlVersion, catalogVersion }: ControlLayout): ControlFileFields => ({
  systemIdentifier: 7_711_400_643_599_336_365n,
  controlVersion,
  catalogVersion,
  state: 'in production',
  modified: 1_764_000_000,
  checkpoint: 0x16_b374_d8b8n,
  redo: 0x16_b374_d848n,
  checkpointTimeline: 1,
  checkpointTime: 1_763_999_990,
  minRecoveryPoint: 0n,
  minRecoveryTimeline: 0,
  walSegmentSize: 0x100_0000,
  walPageSize: 0x2000,
  checksum: null,
})

const stateNumber = (state: ClusterState | number): number =>
  typeof state === 'number' ? state : clusterStates.indexOf(state)
