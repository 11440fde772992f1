/** What the kernel has written down about running processes. */
import { readFileSync, readdirSync } from 'node:fs'

const textOf = (path: string): string => {
  try {
    return readFileSync(path, 'latin1')
  } catch {
    return ''
  }
}

/** Processor time of all threads, user and system, in microseconds: nanoseconds in schedstat. */
export const cpuUsOf = (pid: number): number =>
  threadsOf(pid).reduce((sum, thread) => {
    const [ran] = textOf(`${thread}/schedstat`).split(' ')
    return sum + Number(ran) / 1000
  }, 0)

const tickUs = 10_000
const afterName = /\) (.*)$/s
const reapedTimes = 13

/** The same of the children that it has reaped, in steps of 10 ms: see proc(5), stat. */
export const childrenCpuUsOf = (pid: number): number => {
  const fields = (afterName.exec(textOf(`/proc/${pid}/stat`))?.[1] ?? '').split(' ')
  return (Number(fields[reapedTimes]) + Number(fields[reapedTimes + 1])) * tickUs
}

/** How often its threads went to sleep, that is, were woken up. */
export const wakeUpsOf = (pid: number): number =>
  threadsOf(pid).reduce((sum, thread) => {
    const [, times] = /^voluntary_ctxt_switches:\s*(\d+)$/m.exec(textOf(`${thread}/status`)) ?? []
    return sum + Number(times ?? 0)
  }, 0)

/** Resident memory in MiB. */
export const residentMibOf = (pid: number): number => {
  const [, kib] = /^VmRSS:\s*(\d+) kB$/m.exec(textOf(`/proc/${pid}/status`)) ?? []
  return Number(kib ?? 0) / 1024
}

export const descriptorsOf = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length

export const childrenOf = (pid: number): readonly number[] =>
  textOf(`/proc/${pid}/task/${pid}/children`).trim().split(/\s+/).filter(Boolean).map(Number)

/** Its process title. */
export const titleOf = (pid: number): string =>
  textOf(`/proc/${pid}/cmdline`).replaceAll('\0', ' ').trim()

const threadsOf = (pid: number): readonly string[] => {
  try {
    return readdirSync(`/proc/${pid}/task`).map(thread => `/proc/${pid}/task/${thread}`)
  } catch {
    return []
  }
}
