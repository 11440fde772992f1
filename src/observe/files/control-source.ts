/** Reads the cluster state from where --control-check says. */
import { decodeControlDataReport } from '../../facts/decode/pg-controldata-report.ts'
import { decodeControlFile, type ControlFile } from '../../facts/decode/control-file.ts'
import type { ControlCheck, ControlFault, Evidence } from '../../facts/decide/evidence.ts'
import { fault, type Outcome } from '../../facts/outcome.ts'
import type { PgVersion } from '../../facts/units.ts'
import type { Timers } from '../../facts/timers.ts'
import { pause } from '../system/clock.ts'
import type { DataDirectory } from './data-directory.ts'
import { sameFile, type RawFile } from './disk.ts'
import type { ControlDataProgram } from './pg-controldata.ts'

export type ControlReading = {
  readonly sighting: Evidence['controlFile']
  /** `device:inode` of global/pg_control; null if it cannot be read. */
  readonly inode: string | null
}

/** Reads the cluster state of a data directory of this PG_VERSION. */
export type ControlSource = (version: PgVersion | null) => Promise<ControlReading>

export const createControlSource = (
  check: ControlCheck,
  needs: { directory: DataDirectory; program: ControlDataProgram; timers: Timers },
): ControlSource => {
  switch (check) {
    case 'native':
      return createNativeSource(needs)
    case 'pg_controldata':
      return createProgramSource(needs)
    case 'off':
      return () => Promise.resolve(notAsked)
  }
}

const notAsked: ControlReading = { sighting: { kind: 'absent' }, inode: null }

type SeenFile = Extract<RawFile, { kind: 'present' }>

/** Milliseconds before each further attempt; their number bounds the attempts. */
const pausesMs = [1, 2, 5, 10, 10, 10]
/** A write takes less. */
const writeMsMax = 10

/**
 * Reads until the bytes can be trusted. PostgreSQL rewrites pg_control in place, and ext4 does not
 * make a read atomic against a write: so a failed checksum mostly means a torn read. Damage is
 * reported only if the same bad bytes are read twice, with a pause that no write would outlast.
 *
 * Source: get_controlfile() in controldata_utils.c (17) retries for the same reason.
 */
const createNativeSource = ({
  directory,
  timers,
}: {
  directory: DataDirectory
  timers: Timers
}): ControlSource => {
  let last: {
    kind: 'present'
    raw: SeenFile
    outcome: ReturnType<typeof decodeControlFile>
  } | null = null
  const read = async () => {
    const raw = await directory.controlFile()
    if (raw.kind !== 'present') return raw
    // An unchanged file is the same object, which has been decoded.
    if (last?.raw !== raw) last = { kind: 'present', raw, outcome: decodeControlFile(raw.bytes) }
    return last
  }
  return async () => {
    let reading = await read()
    for (const pauseMs of pausesMs) {
      if (reading.kind !== 'present' || reading.outcome.ok) break
      const before = reading.raw.bytes
      await pause(timers, pauseMs)
      reading = await read()
      const isSame = reading.kind === 'present' && Buffer.compare(before, reading.raw.bytes) === 0
      if (isSame && pauseMs >= writeMsMax) break
    }
    if (reading.kind !== 'present') return { sighting: reading, inode: null }
    const { raw, outcome } = reading
    if (outcome.ok) return readingOf(raw, outcome)
    return readingOf(raw, fault({ source: 'native', fault: outcome.fault } as const))
  }
}

const createProgramSource = ({
  directory,
  program,
}: {
  directory: DataDirectory
  program: ControlDataProgram
}): ControlSource => {
  let last: { raw: RawFile; version: string | null; reading: ControlReading } | null = null
  return async version => {
    const raw = await directory.controlFile()
    if (raw.kind !== 'present') return { sighting: raw, inode: null }
    // The program is not run at each look: of the same bytes it reports the same.
    if (last !== null && last.version === version && sameFile(last.raw, raw)) return last.reading
    const output = await program.run(directory.path, version)
    const outcome = output.ok ? decodeControlDataReport(output.fact) : fault(output.fault)
    const reading = readingOf(
      raw,
      outcome.ok ? outcome : fault({ source: 'pg_controldata', fault: outcome.fault } as const),
    )
    // A program that fails may work the next time.
    last = outcome.ok ? { raw, version, reading } : null
    return reading
  }
}

const readingOf = (
  { inode, modified }: SeenFile,
  outcome: Outcome<ControlFile, ControlFault>,
): ControlReading => ({
  sighting: outcome.ok
    ? { kind: 'present', fact: outcome.fact, modified }
    : { kind: 'invalid', fault: outcome.fault, modified },
  inode,
})
