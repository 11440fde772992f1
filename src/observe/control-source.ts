/** Where the cluster state comes from, as --control-check says. */
import { decodeControlDataReport } from '../facts/control-data-report.ts'
import { decodeControlFile } from '../facts/control-file.ts'
import type { ControlCheck, Evidence } from '../facts/evidence.ts'
import { fault } from '../facts/outcome.ts'
import type { Timers } from '../facts/timers.ts'
import type { DataDirectory } from './data-directory.ts'
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
      return () => readNatively(needs)
    case 'pg_controldata':
      return version => askProgram(version, needs)
    case 'off':
      return () => Promise.resolve({ sighting: { kind: 'absent' }, inode: null })
  }
}

const readNatively = async ({
  directory,
  timers,
}: {
  directory: DataDirectory
  timers: Timers
}): Promise<ControlReading> => {
  const reading = await readStable(directory.controlFile, decodeControlFile, timers)
  if (reading.kind !== 'seen') return { sighting: reading, inode: null }
  const { inode, modified } = reading.raw
  const { outcome } = reading
  return outcome.ok
    ? { sighting: { kind: 'seen', fact: outcome.fact, modified }, inode }
    : {
        sighting: { kind: 'fault', fault: { source: 'native', fault: outcome.fault }, modified },
        inode,
      }
}

const askProgram = async (
  version: string | null,
  { directory, program }: { directory: DataDirectory; program: ControlDataProgram },
): Promise<ControlReading> => {
  const file = await directory.controlFile()
  if (file.kind !== 'seen') return { sighting: file, inode: null }
  const { inode, modified } = file
  const output = await program.run(directory.path, version)
  const outcome = output.ok ? decodeControlDataReport(output.fact) : fault(output.fault)
  return outcome.ok
    ? { sighting: { kind: 'seen', fact: outcome.fact, modified }, inode }
    : {
        sighting: {
          kind: 'fault',
          fault: { source: 'pg_controldata', fault: outcome.fault },
          modified,
        },
        inode,
      }
}
