/** Where the cluster state comes from, as --control-check says. */
import { decodeControlDataReport } from '../facts/control-data-report.ts'
import { decodeControlFile, type ControlFile } from '../facts/control-file.ts'
import type { ControlCheck, ControlFault, Evidence } from '../facts/evidence.ts'
import { fault, type Outcome } from '../facts/outcome.ts'
import type { Timers } from '../facts/timers.ts'
import type { DataDirectory } from './data-directory.ts'
import type { RawFile } from './disk.ts'
import type { ControlDataProgram } from './pg-controldata.ts'
import { readStable } from './stable-read.ts'

export type ControlReading = {
  readonly sighting: Evidence['controlFile']
  /** `device:inode` of global/pg_control; null when it can't be had. */
  readonly inode: string | null
}

/** Reads the cluster state of a data directory of this PG_VERSION. */
export type ControlSource = (version: string | null) => Promise<ControlReading>

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

type SeenFile = Extract<RawFile, { kind: 'seen' }>

/** The same file as before, provably unchanged, says the same as before. */
const createNativeSource = ({
  directory,
  timers,
}: {
  directory: DataDirectory
  timers: Timers
}): ControlSource => {
  let last: { raw: RawFile; reading: ControlReading } | null = null
  return async () => {
    const raw = await directory.controlFile()
    if (last?.raw === raw) return last.reading
    const stable = await readStable(raw, directory.controlFile, decodeControlFile, timers)
    if (stable.kind !== 'seen') return { sighting: stable, inode: null }
    const { outcome } = stable
    const reading = readingOf(
      stable.raw,
      outcome.ok ? outcome : fault({ source: 'native', fault: outcome.fault } as const),
    )
    last = { raw: stable.raw, reading }
    return reading
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
    if (raw.kind !== 'seen') return { sighting: raw, inode: null }
    if (last?.raw === raw && last.version === version) return last.reading
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
    ? { kind: 'seen', fact: outcome.fact, modified }
    : { kind: 'fault', fault: outcome.fault, modified },
  inode,
})
