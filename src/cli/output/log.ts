/**
 * The log on standard error: a line for each change, none for each check.
 *
 * Under systemd a line begins with its priority (sd-daemon(3)), and journald adds the time.
 * Elsewhere it begins with the time.
 */
import type { Stats } from 'node:fs'
import type { Event } from '../../facts/report/event.ts'
import { quoteText, visibleText } from '../../facts/visible-text.ts'
import type { UnixMs } from '../../facts/units.ts'
import { entryOf, logLevels, type Entry, type LogLevel } from './log-entries.ts'

export const logFormats = ['text', 'json'] as const
export type LogFormat = (typeof logFormats)[number]

/** With the name of the cluster, if there are several. */
export type ClusterReport = (event: Event, cluster?: string | null) => void

export const createLog =
  (options: {
    readonly level: LogLevel
    readonly format: LogFormat
    /** Standard error is connected to journald. */
    readonly journal: boolean
    readonly now: () => UnixMs
    readonly write: (line: string) => void
  }): ClusterReport =>
  (event, cluster = null) => {
    const { level, format, journal, now, write } = options
    const entry = inCluster(entryOf(event), cluster)
    if (logLevels.indexOf(entry.level) > logLevels.indexOf(level)) return
    const time = new Date(now()).toISOString()
    const body = format === 'json' ? jsonLine(entry, time) : textLine(entry)
    if (journal) return write(`${journalPrefix(entry.level)}${body}\n`)
    write(format === 'json' ? `${body}\n` : `${time} ${entry.level}: ${body}\n`)
  }

const inCluster = (entry: Entry, cluster: string | null): Entry =>
  cluster === null ? entry : { ...entry, fields: { cluster, ...entry.fields } }

/**
 * Whether an output is connected to journald. systemd sets JOURNAL_STREAM to device and inode of
 * the stream (systemd.exec(5)). A child process inherits it, even if its output goes elsewhere.
 */
export const isJournal = (
  { dev, ino }: Pick<Stats, 'dev' | 'ino'>,
  journalStream: string | undefined,
): boolean => journalStream === `${dev}:${ino}`

/** The priority of a line for journald. */
export const journalPrefix = (level: LogLevel): string => `<${priorities[level]}>`

/** syslog(3) */
const priorities: { readonly [Level in LogLevel]: number } = {
  error: 3,
  warning: 4,
  notice: 5,
  info: 6,
  debug: 7,
}

const jsonLine = ({ level, event, fields }: Entry, time: string): string =>
  visibleText(JSON.stringify({ time, level, event, ...fields }))

const textLine = ({ event, fields }: Entry): string =>
  [
    event,
    ...Object.entries(fields)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name}=${quoted(value)}`),
  ].join(' ')

const quoted = (value: string | number | null): string =>
  typeof value === 'string' && !/^[\w./:-]+$/.test(value) ? quoteText(value) : String(value)
