/** Why the content of global/pg_control is not valid, and the message for it. */
import { newestControlVersion } from './control-layouts.ts'

/** The two version numbers as they are in the file. */
export type Versions = { readonly controlVersion: number; readonly catalogVersion: number }

export type ControlFileFault =
  | { readonly kind: 'too short'; readonly bytes: number; readonly wanted: number }
  | { readonly kind: 'wrong byte order' }
  | { readonly kind: 'bad checksum'; readonly stored: number; readonly computed: number }
  /** Not a version that is known, and no checksum anywhere: damaged, or half-written. */
  | ({ readonly kind: 'no checksum' } & Versions)
  /** A CRC-valid file with a state number that no known version writes. */
  | { readonly kind: 'unknown state'; readonly state: number }
  /** An intact file of a known version, but with another layout: that of a fork. */
  | ({
      readonly kind: 'unknown layout'
      readonly wantedAt: number
      readonly checksumsAt: readonly number[]
    } & Versions)
  /** An intact file of a version that is not known, and not to be trusted either. */
  | ({ readonly kind: 'unknown version'; readonly checksumsAt: readonly number[] } & Versions)

/** One line for a person, lower case, without a stop. */
export const describeControlFileFault = (broken: ControlFileFault): string => {
  switch (broken.kind) {
    case 'too short':
      return `it is ${broken.bytes} bytes long, but must be at least ${broken.wanted}`
    case 'wrong byte order':
      return 'its byte order is big-endian, but must be little-endian'
    case 'bad checksum':
      return `its checksum is ${hex(broken.stored)}, but must be ${hex(broken.computed)}`
    case 'no checksum':
      return `${version(broken)} is unknown and no checksum is valid: damaged or half-written`
    case 'unknown state':
      return `its cluster state is ${broken.state}, which is unknown`
    case 'unknown layout': {
      const { wantedAt, checksumsAt } = broken
      return `${version(broken)} with an unknown layout: the checksum is at ${bytes(checksumsAt)} instead of byte ${wantedAt}`
    }
    case 'unknown version':
      return `${version(broken)} is ${doubts(broken)}`
  }
}

const hex = (value: number): string => `0x${value.toString(16).padStart(8, '0')}`

const version = ({ controlVersion, catalogVersion }: Versions): string =>
  `control version ${controlVersion} (catalog version ${catalogVersion})`

const bytes = (places: readonly number[]): string =>
  `byte${places.length === 1 ? '' : 's'} ${places.join(' and ')}`

type UnknownVersion = Extract<ControlFileFault, { kind: 'unknown version' }>

const doubts = ({ controlVersion, checksumsAt }: UnknownVersion): string => {
  const newest = `the newest known, ${newestControlVersion}`
  if (controlVersion < newestControlVersion) {
    return `unknown and not newer than ${newest}: a fork, or older than PostgreSQL 9.4`
  }
  const why =
    checksumsAt.length > 1
      ? `its checksum may be at ${bytes(checksumsAt)}`
      : `other data follow its checksum at ${bytes(checksumsAt)}`
  return `newer than ${newest}, and ${why}`
}
