/** A pg-replstatus beside a server: what it logs becomes lines of the demo. */
import { launchDaemon, type Daemon } from '../harness/daemon.ts'
import { peerArgs } from '../harness/http-daemon.ts'
import type { Tell } from './journal.ts'
import { places } from './places.ts'
import type { Server } from './server.ts'

export const startProbe = async (
  { name, probePort, httpPort, dataDirectory }: Server,
  { tell, withPeers }: { readonly tell: Tell; readonly withPeers: boolean },
): Promise<Daemon> => {
  const others = withPeers ? places.filter(place => place.name !== name) : []
  const peers = others.map(peer => peer.httpPort)
  // It is started before its server is made.
  const args = ['--wait', '--log-format', 'json', ...peerArgs(httpPort, peers)]
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
    // That there is no server yet is no news.
    if (from === 'unknown' && to === 'unavailable') return
    return tell({
      who: name,
      what: `${from} -> ${to}`,
      ...(because === undefined ? {} : { because }),
    })
  }
  // Which is why the role does not change, when an old primary comes back.
  if (event === 'reason changed' && because?.startsWith('another server was promoted') === true) {
    return tell({ who: name, what: 'still unavailable', because })
  }
  // The demo itself tells when a pg-replstatus ends.
  if (event === 'peer check failed') return
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
