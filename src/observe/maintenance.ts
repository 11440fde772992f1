/**
 * Draining by hand: a file that people make, and a switch.
 *
 * The file may lie anywhere, also on another disk than the data directory, and there is one look at
 * it at a time: a disk that hangs under it holds one of libuv's threads and nothing else, and what
 * was found last counts. Whatever is there and can't be read was made by somebody: silence is safe.
 */
import {
  drained,
  drainedByFile,
  drainedByHand,
  noMaintenance,
  type Maintenance,
} from '../facts/maintenance.ts'
import type { Timer, Timers } from '../facts/timers.ts'
import { isMissing, readBytes, statusOf } from './disk.ts'

export type MaintenanceWatch = {
  /** Costs nothing: it is asked before each answer. */
  readonly current: () => Maintenance
  /** Drains, or ends that; the file has a say of its own. */
  readonly toggle: () => void
  /** Looks for the file from now on, and calls `changed` after each change. */
  readonly start: (changed: () => void) => void
  readonly close: () => void
}

/** A first line is what people read. */
const bytesMax = 1024

/** Never rejects. A null path is that of no file. */
export const readMaintenance = async (path: string | null): Promise<Maintenance> => {
  if (path === null) return noMaintenance
  const status = await statusOf(path)
  if (isMissing(status)) {
    return status.kind === 'absent'
      ? noMaintenance
      : drained(`${path} can't be read (${status.code})`)
  }
  if (!status.isFile()) return drainedByHand
  const { raw } = await readBytes(path, bytesMax)
  // One that has gone meanwhile is for the next look to find out.
  if (raw.kind !== 'seen') return drainedByHand
  return drainedByFile(Buffer.from(raw.bytes).toString('utf8'))
}

export const createMaintenanceWatch = (needs: {
  readonly path: string | null
  readonly read: typeof readMaintenance
  readonly timers: Timers
  readonly everyMs: number
}): MaintenanceWatch => {
  const { path, read, timers, everyMs } = needs
  let file: Maintenance = path === null ? noMaintenance : { kind: 'not looked yet' }
  let switchedOn = false
  let tell = ignore
  let timer: Timer | null = null
  let closed = false

  const look = async (): Promise<void> => {
    const found = await read(path)
    if (closed) return
    timer = timers.after(everyMs, () => {
      void look()
    })
    if (isSame(found, file)) return
    file = found
    tell()
  }

  return {
    current: () => (switchedOn && file.kind !== 'drained' ? drainedByHand : file),
    toggle: () => {
      switchedOn = !switchedOn
      tell()
    },
    start: changed => {
      tell = changed
      if (path !== null) void look()
    },
    close: () => {
      closed = true
      tell = ignore
      timer?.cancel()
    },
  }
}

const ignore = (): void => {}

const isSame = (one: Maintenance, other: Maintenance): boolean =>
  one.kind === 'drained'
    ? other.kind === 'drained' && one.because === other.because
    : one.kind === other.kind
