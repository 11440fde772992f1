/**
 * Events as lines on stderr: one line per change, none per check.
 *
 * Under systemd a line begins with the priority that sd-daemon(3) defines and journald adds the
 * time; elsewhere it begins with the time.
 */
import type { Event } from '../facts/event.ts'
import { quoteText } from '../facts/foreign-text.ts'
import type { UnixMs } from '../facts/units.ts'
import { answerOf, type Verdict } from '../facts/verdict.ts'

export const logLevels = ['error', 'warning', 'notice', 'info', 'debug'] as const
export type LogLevel = (typeof logLevels)[number]
export const logFormats = ['text', 'json'] as const
export type LogFormat = (typeof logFormats)[number]

type Fields = { readonly [name: string]: string | number | null }
type Entry = { readonly level: LogLevel; readonly event: string; readonly fields: Fields }

/** With the name of the cluster it is about, where there are several. */
export type ClusterReport = (event: Event, cluster?: string | null) => void

export const createLog =
  (options: {
    readonly level: LogLevel
    readonly format: LogFormat
    /** Standard error goes to journald. */
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

/** What makes journald file a line under its level. */
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
  JSON.stringify({ time, level, event, ...fields })

const textLine = ({ event, fields }: Entry): string =>
  [
    event,
    ...Object.entries(fields)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => `${name}=${quoted(value)}`),
  ].join(' ')

const quoted = (value: string | number | null): string =>
  typeof value === 'string' && !/^[\w./:-]+$/.test(value) ? quoteText(value) : String(value)

const entryOf = (event: Event): Entry => {
  switch (event.kind) {
    case 'started': {
      const { version, directory, pid } = event
      return entry('notice', 'started', { version, pgdata: directory, pid })
    }
    case 'privileges dropped':
      return entry('notice', 'privileges dropped', { uid: event.user, gid: event.group })
    case 'verdict changed':
      return verdictEntry(event)
    case 'change recorded': {
      const { from, to, at, postmaster: pid, timeline } = event
      const roles = { from: roleOf(from), to: roleOf(to) }
      const time = new Date(at).toISOString()
      return entry('notice', 'recorded', { at: time, ...roles, because: to.because, pid, timeline })
    }
    case 'maintenance toggled':
      return entry('notice', 'maintenance', { by: 'SIGUSR2', state: event.on ? 'on' : 'off' })
    case 'hazard began':
      return entry('warning', 'hazard', {
        hazard: event.hazard.name,
        warning: event.hazard.warning,
      })
    case 'hazard ended':
      return entry('notice', 'hazard over', { hazard: event.hazard.name })
    case 'watching degraded':
      return entry('warning', 'polling', { because: event.because, every_ms: event.pollMs })
    case 'watching restored':
      return entry('notice', 'polling over', {})
    case 'listening':
      return entry('notice', 'listening', { address: event.address, port: event.port })
    case 'sockets passed':
      return entry('notice', 'sockets passed', {
        count: event.count,
        when_unavailable: event.closesInstead ? 'close, as systemd keeps the port open' : null,
      })
    case 'notify failed':
      return notifyEntry(event)
    case 'port blocked':
      return entry('error', 'port blocked', { because: event.because })
    case 'connects lost':
      return entry('warning', 'connects lost', { port: event.port, because: event.because })
    case 'command said':
      return entry('info', 'on-change', { said: event.line })
    case 'command failed':
      return entry('warning', 'on-change failed', { because: event.because })
    case 'connects refused': {
      const { port, from, refused } = event
      return entry('warning', 'connects refused', { port, from, refused })
    }
    case 'reloaded': {
      const { kind, ...counts } = event
      return entry('notice', kind, counts)
    }
    case 'reload refused':
      return entry('error', 'reload refused', { because: event.because, hint: event.hint })
    case 'reload needless':
      return entry('notice', 'nothing to reload', { because: 'no --config was given' })
    case 'cluster failed': {
      const { because, hint, served } = event
      return entry('error', 'cluster failed', { served, because, hint })
    }
    case 'stopping':
      return entry('notice', 'stopping', { signal: event.signal })
    case 'stopped':
      return entry('notice', 'stopped', {})
  }
}

/** Without being told that we are ready, systemd ends us. */
const notifyEntry = ({ because, awaited }: Extract<Event, { kind: 'notify failed' }>): Entry => {
  const level = awaited ? 'warning' : 'debug'
  return entry(level, 'notify failed', { because, consequence: awaited ? notReady : null })
}

const notReady = 'systemd ends the service after TimeoutStartSec unless a retry succeeds'

const entry = (level: LogLevel, event: string, fields: Fields): Entry => ({ level, event, fields })

/** A change of role is what people are woken for; a mere change of the reason is detail. */
const verdictEntry = (event: Extract<Event, { kind: 'verdict changed' }>): Entry => {
  const { from, to, postmaster, timeline } = event
  const roles = { from: roleOf(from), to: roleOf(to) }
  const grounds = { because: to.because, pid: postmaster, timeline }
  if (roles.from === roles.to)
    return entry('info', 'reason changed', { role: roles.to, ...grounds })
  const level = to.kind === 'available' ? 'notice' : 'warning'
  return entry(level, 'role changed', { ...roles, ...grounds })
}

export const roleOf = (verdict: Verdict | null): string =>
  verdict === null ? 'unknown' : answerOf(verdict)
