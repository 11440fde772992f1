/** The entry of the log for each event: its level, its name and its fields. */
import type { Event } from '../../facts/report/event.ts'
import { answerOf, type Verdict } from '../../facts/decide/verdict.ts'

export const logLevels = ['error', 'warning', 'notice', 'info', 'debug'] as const
export type LogLevel = (typeof logLevels)[number]

type Fields = { readonly [name: string]: string | number | null }
export type Entry = { readonly level: LogLevel; readonly event: string; readonly fields: Fields }

export const entryOf = (event: Event): Entry => {
  switch (event.kind) {
    case 'started': {
      const { version, directory, pid } = event
      return entry('notice', 'started', { version, pgdata: directory, pid })
    }
    case 'privileges dropped':
      return entry('notice', 'privileges dropped', { uid: event.user, gid: event.group })
    case 'verdict changed':
      return verdictEntry(event)
    case 'change recorded':
      return earlierChangeEntry(event)
    case 'maintenance toggled':
    case 'maintenance open':
      return maintenanceEntry(event)
    case 'hazard began':
    case 'hazard ended':
      return hazardEntry(event)
    case 'watching degraded':
      return entry('warning', 'polling', { because: event.because, every_ms: event.pollMs })
    case 'watching restored':
      return entry('notice', 'polling ended', {})
    case 'listening':
      return entry('notice', 'listening', {
        address: event.address,
        port: event.port === 0 ? null : event.port,
        for: event.purpose,
      })
    case 'sockets passed':
      return entry('notice', 'sockets passed', {
        count: event.count,
        when_unavailable: event.closesInstead ? 'close, as systemd keeps the port open' : null,
      })
    case 'notify failed':
      return notifyEntry(event)
    case 'port blocked':
      return entry('error', 'port blocked', { because: event.because })
    case 'connections lost':
    case 'connections refused':
    case 'connection limit reached':
    case 'connection limits lowered':
    case 'handshake failed':
      return connectionEntry(event)
    case 'command output':
      return entry('info', 'on-change', { output: event.line })
    case 'command failed':
      return entry('warning', 'on-change failed', { because: event.because })
    case 'certificate taken':
    case 'certificate doubtful':
    case 'certificate refused':
      return certificateEntry(event)
    case 'reloaded':
    case 'reload refused':
    case 'reload needless':
    case 'cluster failed':
      return reloadEntry(event)
    case 'peer changed':
    case 'peer check failed':
    case 'peer is this server':
      return peerEntry(event)
    case 'stopping':
      return entry('notice', 'stopping', { signal: event.signal })
    case 'stopped':
      return entry('notice', 'stopped', {})
  }
}

type ReloadEvent = Extract<
  Event,
  { readonly kind: 'reloaded' | `reload ${string}` | 'cluster failed' }
>

const reloadEntry = (event: ReloadEvent): Entry => {
  switch (event.kind) {
    case 'reloaded': {
      const { kind, ...counts } = event
      return entry('notice', kind, counts)
    }
    case 'reload refused':
      return entry('error', 'reload refused', { because: event.because, hint: event.hint })
    case 'reload needless':
      return entry('notice', 'nothing to reload', {
        because: 'neither --config nor --http-cert is set',
      })
    case 'cluster failed': {
      const { because, hint, served } = event
      return entry('error', 'cluster failed', { served, because, hint })
    }
  }
}

const certificateEntry = (
  event: Extract<Event, { readonly kind: `certificate ${string}` }>,
): Entry => {
  if (event.kind === 'certificate taken') {
    const expires = new Date(event.expiresAt).toISOString()
    return entry('notice', 'certificate', { file: event.file, expires })
  }
  const { kind, because, hint } = event
  return kind === 'certificate refused'
    ? entry('error', kind, { because, hint })
    : entry('warning', 'certificate', { because, hint })
}

type ConnectionEvent = Extract<
  Event,
  { readonly kind: `connections ${string}` | `connection ${string}` | `handshake ${string}` }
>

const connectionEntry = (event: ConnectionEvent): Entry => {
  switch (event.kind) {
    case 'connections lost': {
      const { kind, port, because } = event
      return entry('warning', kind, { port, because })
    }
    case 'connections refused': {
      const { kind, port, from, refused } = event
      return entry('warning', kind, { port, from, refused })
    }
    case 'connection limit reached': {
      const { kind, port, connectionsMax: limit, from, held } = event
      return entry('warning', kind, { port, limit, most_from: from, connections: held })
    }
    case 'connection limits lowered': {
      const { kind, limit, reserved, requested, connections } = event
      return entry('warning', kind, { open_files: limit, reserved, requested, connections })
    }
    case 'handshake failed': {
      const { port, from, because } = event
      return entry('info', 'TLS handshake failed', { port, from, because })
    }
  }
}

const peerEntry = (event: Extract<Event, { readonly kind: `peer ${string}` }>): Entry => {
  const { kind, peer } = event
  switch (kind) {
    case 'peer changed':
      return entry('notice', 'peer', { peer, role: event.role, timeline: event.timeline })
    case 'peer check failed':
      return entry('warning', kind, { peer, because: event.because })
    case 'peer is this server':
      return entry('notice', 'peer ignored', { peer, because: 'it is this server' })
  }
}

const maintenanceEntry = (
  event: Extract<Event, { kind: 'maintenance toggled' | 'maintenance open' }>,
): Entry => {
  if (event.kind === 'maintenance toggled')
    return entry('notice', 'maintenance', { by: 'SIGUSR2', state: event.on ? 'on' : 'off' })
  const { path, because } = event
  return entry('warning', 'insecure maintenance file', { path, because })
}

const hazardEntry = ({
  kind,
  hazard: { name: hazard, warning },
}: Extract<Event, { kind: 'hazard began' | 'hazard ended' }>): Entry =>
  kind === 'hazard began'
    ? entry('warning', 'hazard', { hazard, warning })
    : entry('notice', 'hazard ended', { hazard })

/** systemd terminates a service that it is not notified of as ready. */
const notifyEntry = ({ because, awaited }: Extract<Event, { kind: 'notify failed' }>): Entry => {
  const level = awaited ? 'warning' : 'debug'
  return entry(level, 'notify failed', { because, consequence: awaited ? notReady : null })
}

const notReady = 'systemd terminates the service after TimeoutStartSec unless a retry succeeds'

const entry = (level: LogLevel, event: string, fields: Fields): Entry => ({ level, event, fields })

/** A change of the role needs attention. A change of the reason only is a detail. */
const verdictEntry = (event: Extract<Event, { kind: 'verdict changed' }>): Entry => {
  const { from, to, postmaster, timeline } = event
  const roles = { from: roleOf(from), to: roleOf(to) }
  const grounds = { because: to.because, pid: postmaster, timeline }
  if (roles.from === roles.to)
    return entry('info', 'reason changed', { role: roles.to, ...grounds })
  const level = to.kind === 'available' ? 'notice' : 'warning'
  return entry(level, 'role changed', { ...roles, ...grounds })
}

const earlierChangeEntry = (event: Extract<Event, { kind: 'change recorded' }>): Entry => {
  const { from, to, at, postmaster: pid, timeline } = event
  const roles = { from: roleOf(from), to: roleOf(to) }
  const grounds = { because: to.because, pid, timeline }
  return entry('notice', 'earlier change', { at: new Date(at).toISOString(), ...roles, ...grounds })
}

export const roleOf = (verdict: Verdict | null): string =>
  verdict === null ? 'unknown' : answerOf(verdict)
