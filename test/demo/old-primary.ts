/**
 * The old primary comes back as it was, and the rows tell what that does: those that a client was
 * told to be committed should be on the new primary.
 */
import { missingRows } from '../harness/row-writer.ts'
import type { Tell } from './journal.ts'
import type { Server } from './server.ts'
import type { Stage } from './stage.ts'

/** Enough for haproxy to send some of them to the old primary, if it does. */
const rowsAfterwards = 100

/** How many rows are missing then. */
export const bringBack = async (stage: Stage, tell: Tell): Promise<number> => {
  const { servers, writer } = stage
  const old = servers.filter(server => !server.running() && server.startsAsPrimary())
  if (old.length === 0) throw new Error('no old primary is stopped, press p first')
  for (const server of old) {
    tell({ who: 'demo', what: `starting ${server.name} as the primary that it was` })
    await server.start()
  }
  if (writer !== null) {
    tell({ who: 'demo', what: `waiting for ${rowsAfterwards} more rows` })
    await writer.more(rowsAfterwards)
  }
  return tellRows(stage, tell)
}

/** How many of the acknowledged rows the new primary does not have. */
export const tellRows = async ({ servers, writer }: Stage, tell: Tell): Promise<number> => {
  const primary = await newestPrimary(servers)
  if (writer === null || primary === null) return 0
  const acknowledged = new Set(writer.acknowledged())
  const missing = await countMissing(primary, acknowledged)
  const what = `rows acknowledged ${acknowledged.size}, missing on the new primary ${missing}`
  tell({ who: 'demo', what })
  return missing
}

const countMissing = async (server: Server, numbers: ReadonlySet<number>): Promise<number> => {
  const session = await server.session()
  try {
    return (await missingRows(session, numbers)).size
  } finally {
    await session.close()
  }
}

/** Of several primaries the one that was promoted last; null where there is none. */
export const newestPrimary = async (servers: readonly Server[]): Promise<Server | null> => {
  const primaries: { readonly server: Server; readonly timeline: number }[] = []
  for (const server of servers) {
    const timeline = server.running() ? await server.timeline() : null
    if (timeline !== null) primaries.push({ server, timeline })
  }
  const [newest] = primaries.toSorted((one, other) => other.timeline - one.timeline)
  return newest?.server ?? null
}
