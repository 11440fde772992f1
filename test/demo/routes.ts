/** Whom haproxy leads clients to, told whenever it changes. */
import type { Haproxy, ServerRow } from '../harness/haproxy.ts'
import type { Tell } from './journal.ts'
import { readPort, writePort } from './places.ts'

export type Routes = { readonly writers: string; readonly readers: string }

const nowhere: Routes = { writers: 'none', readers: 'none' }

/** The first server that is up gets the writers, a backup only when no other is up. */
export const routesIn = (rows: readonly ServerRow[]): Routes => {
  const up = (section: string): readonly ServerRow[] =>
    rows.filter(row => row.section === section && row.up)
  const writing = up('read-write')
  const reading = up('read-only').map(({ server }) => server)
  return {
    writers: (writing.find(({ backup }) => !backup) ?? writing[0])?.server ?? 'none',
    readers: reading.length === 0 ? 'none' : reading.join(' '),
  }
}

const everyMs = 100

/** Looks until `stop`; while haproxy is gone it leads nobody anywhere. */
export const watchRoutes = (
  haproxy: () => Haproxy,
  tell: Tell,
): { readonly stop: () => Promise<void> } => {
  let known = nowhere
  let stopped = false
  let timer: NodeJS.Timeout | undefined
  const look = async (): Promise<void> => {
    const seen = await haproxy()
      .servers()
      .then(routesIn)
      .catch(() => nowhere)
    if (stopped) return
    tellChange(`writers (${writePort})`, { from: known.writers, to: seen.writers }, tell)
    tellChange(`readers (${readPort})`, { from: known.readers, to: seen.readers }, tell)
    known = seen
    timer = setTimeout(() => void look(), everyMs)
  }
  void look()
  const stop = async (): Promise<void> => {
    stopped = true
    clearTimeout(timer)
  }
  return { stop }
}

const tellChange = (
  what: string,
  { from, to }: { readonly from: string; readonly to: string },
  tell: Tell,
): void => {
  if (from !== to) tell({ who: 'haproxy', what: `${what}: ${from} -> ${to}` })
}
