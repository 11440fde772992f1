/** A pg-replstatus beside a server: what it logs becomes lines of the demo. */
import { launchDaemon, type Daemon } from '../harness/daemon.ts'
import type { Tell } from './journal.ts'
import type { Server } from './server.ts'

export const startProbe = async (
  { name, probePort, dataDirectory }: Server,
  tell: Tell,
): Promise<Daemon> => {
  const args = ['--log-format', 'json']
  const daemon = await launchDaemon({ dataDirectory, port: probePort, args })
  daemon.onLine(line => tellLine(name, line, tell))
  await daemon.said(/"listening"/)
  return daemon
}

/** As much of its log as the demo shows. */
type Entry = {
  readonly level: string
  readonly event: string
  readonly from?: string
  readonly to?: string
  readonly because?: string
  readonly warning?: string
}

const tellLine = (name: string, line: string, tell: Tell): void => {
  const entry = parse(line)
  if (entry === null) return tell({ who: name, what: line })
  const { level, event, from, to, because, warning } = entry
  if (event === 'role changed') {
    // That there is nothing yet is no news.
    if (from === 'unknown' && to === 'unavailable') return
    return tell({
      who: name,
      what: `${from} -> ${to}`,
      ...(because === undefined ? {} : { because }),
    })
  }
  if (level === 'warning' || level === 'error') {
    tell({ who: name, what: `${event}: ${because ?? warning ?? line}` })
  }
}

/** Null for what is no log line, such as a message of Node's. */
const parse = (line: string): Entry | null => {
  try {
    return JSON.parse(line) as Entry
  } catch {
    return null
  }
}
