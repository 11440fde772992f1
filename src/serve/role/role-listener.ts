/**
 * The listener that answers every connection to one address.
 *
 * It can be opened and closed repeatedly. Each time it has a new server, because a server that was
 * closed while it resolved its address cannot be used again. The port that the system chose for
 * port 0 stays the same.
 */
import type { Server } from 'node:net'
import { fault, type Outcome } from '../../facts/outcome.ts'
import { createAnswering, type AnsweringOptions, type ConnectionCounters } from './answering.ts'
import type { BoundAddress, Endpoint, ListenFault } from '../endpoint.ts'
import { startListening, systemListen, type Listen } from '../listening.ts'

export type RoleListenerOptions = Endpoint & AnsweringOptions & { readonly listen?: Listen }

export type RoleListener = {
  /** Opens it, or returns the result of the attempt that is in progress. */
  readonly open: () => Promise<Opened>
  /** Accepts no new connections. Clients that were answered may still read the answer. */
  readonly close: () => void
  /** Closes it, and all of its connections. */
  readonly destroy: () => void
  readonly counters: () => ConnectionCounters
}

type Opened = Outcome<BoundAddress, ListenFault>
type Opening = { readonly server: Server; readonly ends: Promise<Opened> }

export const createRoleListener = (options: RoleListenerOptions): RoleListener => {
  const { address, passed, listen = systemListen } = options
  const answering = createAnswering(options)
  let on: Endpoint = { address, port: options.port, ...(passed === undefined ? {} : { passed }) }
  let current: Opening | null = null
  let lastEnds: Promise<unknown> = Promise.resolve()

  const port = (): number => on.port

  /** One at a time: two attempts at once would find the port in use. */
  const begin = async (server: Server, earlier: Promise<unknown>): Promise<Opened> => {
    await earlier
    if (current?.server !== server) return fault({ kind: 'closed', ...on })
    const outcome = await startListening(server, on, listen)
    if (current?.server !== server) return fault({ kind: 'closed', ...on })
    if (outcome.ok) on = { ...on, port: outcome.fact.port }
    else current = null
    return outcome
  }

  const open = (): Promise<Opened> => {
    if (current === null) {
      const server = answering.createServer(port)
      server.on('listening', () => {
        // Closed while its address was being resolved, which some versions of Node.js ignore.
        if (current?.server !== server) server.close()
      })
      current = { server, ends: begin(server, lastEnds) }
      lastEnds = current.ends
    }
    return current.ends
  }

  const close = (): void => {
    current?.server.close()
    current = null
    answering.resetReports()
  }

  const destroy = (): void => {
    close()
    answering.destroyAll()
  }

  return { open, close, destroy, counters: answering.counters }
}
