/**
 * What a standby's WAL receiver is about, from its process title.
 *
 * Source: walreceiver.c, which sets `streaming LSN` with each batch it has flushed, `restarting at
 * LSN` and `idle`. With update_process_title off the title never says anything.
 *
 * The evidence keeps the titles of the last census, and a census is taken only when startup process
 * or checkpointer have changed: a title may be older than the look.
 */
import type { Evidence } from './evidence.ts'
import { parseLsn, type Lsn } from './units.ts'

export type ReplicationState =
  /** `received` is what has been flushed to disk by then. */
  | { readonly kind: 'streaming'; readonly received: Lsn }
  | { readonly kind: 'not streaming' }
  | { readonly kind: 'unknown' }

export const replicationState = ({ children }: Evidence): ReplicationState => {
  if (children.kind !== 'seen') return { kind: 'unknown' }
  if (children.walreceiver === null) return { kind: 'not streaming' }
  const { title } = children.walreceiver
  const [, position] = /receiver(?: process)? {1,3}streaming (\S+)$/.exec(title) ?? []
  if (position !== undefined) {
    const received = parseLsn(position)
    return received === null ? { kind: 'unknown' } : { kind: 'streaming', received }
  }
  return / (?:idle|restarting at \S+)$/.test(title)
    ? { kind: 'not streaming' }
    : { kind: 'unknown' }
}
