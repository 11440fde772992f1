/**
 * The listener that answers every connect on one address.
 *
 * It can be opened and closed again as often as need be. Each opening has a server of its own,
 * because one that was closed while it looked up its address can't be trusted with another. The
 * port that the system picked for port 0 stays the same for all openings.
 */
import type { Server } from 'node:net'
import { fault, type Outcome } from '../facts/outcome.ts'
import { createAnswering, type AnsweringOptions, type ConnectCounters } from './answering.ts'
import type { BoundAddress, Endpoint, ListenFault } from './endpoint.ts'
import { startListening, systemListen, type Listen } from './listening.ts'
import type { ConnectEvent } from './losses.ts'

export type RoleListenerOptions = Endpoint & AnsweringOptions & { readonly listen?: Listen }

export type RoleListenerEvent = ConnectEvent

export type RoleListener = {
  /** Opens it, or tells how the opening under way ends. */
  readonly open: () => Promise<Opened>
  /** Accepts nobody from now on. Who was answered may take the time to read it. */
  readonly close: () => void
  /** Closes, and cuts off whoever is still there. */
  readonly destroy: () => void
  readonly counters: () => ConnectCounters
}

type Opened = Outcome<BoundAddress, ListenFault>
type Opening = { readonly server: Server; readonly ends: Promise<Opened> }

export const createRoleListener = (options: RoleListenerOptions): RoleListener => {
  const { address, passed, listen = systemListen } = options
  const answering = createAnswering(options)
  let on: Endpoint = { address, port: options.port, ...(passed === undefined ? {} : { passed }) }
  let current: Opening | null = null
  let lastEnds: Promise<unknown> = Promise.resolve()

  const endpoint = (): Endpoint => on

  /** One at a time: two openings of ours at once would find the port in use, by us. */
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
      const server = answering.createServer(endpoint)
      server.on('listening', () => {
        // Closed while its address was being looked up, which not every version of Node heeds.
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
    answering.forgetNews()
  }

  const destroy = (): void => {
    close()
    answering.destroyAll()
  }

  return { open, close, destroy, counters: answering.counters }
}
