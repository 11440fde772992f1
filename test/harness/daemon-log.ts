/**
 * What a daemon logs, line by line, and waiting for a line without asking again and again.
 */
import { createInterface } from 'node:readline'
import type { LeashedProgram } from './leash.ts'
import { within } from './until.ts'

export type DaemonEnd = { readonly code: number | null; readonly signal: NodeJS.Signals | null }

export type Role = 'primary' | 'standby' | 'unavailable'

export type DaemonLog = {
  readonly lines: readonly string[]
  /** Hears each line from now on. */
  readonly onLine: (listener: (line: string) => void) => void
  /** The first value that is not null, asked for after each line; rejects when the log ends. */
  readonly first: <Value>(look: () => Value | null, what: string) => Promise<Value>
  /** Resolves when the daemon is gone and its last words have been read. */
  readonly ended: Promise<DaemonEnd>
}

export const readLog = (child: LeashedProgram): DaemonLog => {
  const lines: string[] = []
  const checks = new Set<() => void>()
  const checkAll = (): void => {
    for (const check of checks) check()
  }
  const output = createInterface({ input: child.stderr })
  output.on('line', line => {
    lines.push(line)
    checkAll()
  })
  let end: DaemonEnd | null = null
  const ended = new Promise<DaemonEnd>(resolve => {
    // Not `exit`: then the pipe may still hold lines.
    child.once('close', (code, signal) => {
      end = { code, signal }
      resolve(end)
      checkAll()
    })
  })

  const first = async <Value>(look: () => Value | null, what: string): Promise<Value> => {
    let check = (): void => undefined
    const seen = new Promise<Value>((resolve, reject) => {
      check = () => {
        const value = look()
        if (value !== null) return resolve(value)
        if (end !== null) reject(new Error(`waited for ${what}: the daemon ended`))
      }
    })
    checks.add(check)
    check()
    try {
      return await within(seen, { what })
    } catch (failure) {
      throw new Error(`${String(failure)}\n${lines.join('\n')}`, { cause: failure })
    } finally {
      checks.delete(check)
    }
  }

  return { lines, onLine: listener => void output.on('line', listener), first, ended }
}

/** The role after the newest change; null before the first verdict. */
export const lastRole = (lines: readonly string[]): Role | null =>
  lines.map(roleIn).findLast(role => role !== null) ?? null

/** The new role, where a line tells of a change. */
export const roleIn = (line: string): Role | null => {
  const [, to] = /\brole changed\b.*?\bto"?[=:]"?(primary|standby|unavailable)\b/.exec(line) ?? []
  return (to as Role | undefined) ?? null
}
