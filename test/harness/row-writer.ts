/**
 * A client that writes numbered rows, and remembers which of them were acknowledged: those must
 * not be lost. Each row has a session of its own, as sessions stay on the server that they reached.
 */
import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { openSession, type Session } from './session.ts'
import { within } from './until.ts'

export type RowWriter = {
  readonly acknowledged: () => ReadonlySet<number>
  /** Waits until so many more have been acknowledged. */
  readonly more: (rows: number) => Promise<void>
  /** Resolves when no row is under way. */
  readonly pause: () => Promise<void>
  readonly resume: () => void
  readonly stop: () => Promise<void>
}

export const createRowTable = async (session: Session): Promise<void> => {
  await session.query('create table numbered_rows (number integer primary key)')
}

/** Writes to whatever server is behind the port. A row that fails is not tried again. */
export const startRowWriter = (port: number, everyMs: number): RowWriter => {
  const acknowledged = new Set<number>()
  const events = new EventEmitter()
  let paused = false
  let stopped = false

  const write = async (number: number): Promise<void> => {
    const session = await openSession(port)
    try {
      await session.query(`insert into numbered_rows values (${number})`)
      acknowledged.add(number)
      events.emit('acknowledged')
    } finally {
      await session.close()
    }
  }
  let underWay = Promise.resolve()
  const writing = (async () => {
    for (let number = 1; !stopped; number += 1) {
      if (!paused) underWay = write(number).catch(() => undefined)
      await underWay
      await sleep(everyMs)
    }
  })()

  return {
    acknowledged: () => acknowledged,
    more: async rows => {
      const wanted = acknowledged.size + rows
      const reached = async (): Promise<void> => {
        while (acknowledged.size < wanted) await once(events, 'acknowledged')
      }
      const what = `${rows} more rows to be acknowledged`
      await within(reached(), { what, limitMs: 60_000 })
    },
    pause: async () => {
      paused = true
      await underWay
    },
    resume: () => {
      paused = false
    },
    stop: async () => {
      stopped = true
      await writing
    },
  }
}

/** Those that this server does not have. */
export const missingRows = async (
  session: Session,
  numbers: ReadonlySet<number>,
): Promise<ReadonlySet<number>> => {
  const rows = await session.query('select number from numbered_rows')
  const there = new Set(rows.map(row => Number(row['number'])))
  return new Set(Array.from(numbers).filter(number => !there.has(number)))
}
