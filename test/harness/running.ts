/** What /proc shows of other processes. */
import { readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { decodeProcessStat, type ProcessStat } from '../../src/facts/decode/process-stat.ts'

const ended: ReadonlySet<ProcessStat['state']> = new Set(['exiting', 'zombie', 'dead'])

/** Null if it has ended, also if its parent has not taken notice yet. */
export const runningProcess = (pid: number): ProcessStat | null => {
  try {
    const stat = decodeProcessStat(readFileSync(`/proc/${pid}/stat`, 'latin1'))
    return stat.ok && !ended.has(stat.fact.state) ? stat.fact : null
  } catch {
    return null
  }
}

/** Nothing for what may not be read. */
const readOrNothing = (read: () => string): string => {
  try {
    return read()
  } catch {
    return ''
  }
}

/** Does a process run in this folder, or was it told of it when it was started? */
export const isInUse = (folder: string): boolean =>
  readdirSync('/proc')
    .filter(name => /^\d+$/.test(name))
    .some(pid => {
      const place = readOrNothing(() => readlinkSync(`/proc/${pid}/cwd`))
      const told = readOrNothing(() => readFileSync(`/proc/${pid}/cmdline`, 'latin1'))
      return `${place}/`.startsWith(`${folder}/`) || told.includes(folder)
    })
