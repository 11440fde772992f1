/**
 * Two witnesses of one server, heard in parallel on one clock: a database session that asks
 * pg_is_in_recovery() as fast as it can, and the probe, asked over TCP just as fast.
 */
import { ask } from './daemon.ts'
import type { Session } from './session.ts'

/** Milliseconds on the clock of performance.now(). */
type Heard<Answer> = { readonly askedAt: number; readonly heardAt: number; readonly answer: Answer }

export type Testimony = {
  /** What the server said of itself: in recovery or not. */
  readonly server: readonly Heard<boolean>[]
  /** What the probe said: the bytes on the wire, or why there were none. */
  readonly probe: readonly Heard<string>[]
}

/** Hears both until the probe has given this answer; throws when the limit is over. */
export const hearUntil = async (
  wanted: string,
  { session, port, limitMs = 30_000 }: { session: Session; port: number; limitMs?: number },
): Promise<Testimony> => {
  const server: Heard<boolean>[] = []
  const probe: Heard<string>[] = []
  const giveUpAt = performance.now() + limitMs
  let over = false
  const hearServer = async (): Promise<void> => {
    while (!over) server.push(await timed(() => session.isInRecovery()))
  }
  const hearProbe = async (): Promise<void> => {
    try {
      while (probe.at(-1)?.answer !== wanted) {
        if (performance.now() > giveUpAt) throw new Error(`no ${wanted} within ${limitMs} ms`)
        probe.push(await timed(() => ask(port)))
      }
    } finally {
      over = true
    }
  }
  await Promise.all([hearServer(), hearProbe()])
  return { server, probe }
}

const timed = async <Answer>(question: () => Promise<Answer>): Promise<Heard<Answer>> => {
  const askedAt = performance.now()
  const answer = await question()
  return { askedAt, heardAt: performance.now(), answer }
}

/** Answers that call the server a primary, given before a session was told otherwise. */
export const tooEarly = ({ server, probe }: Testimony, primaryWord: string): number =>
  probe.filter(
    said =>
      said.answer === primaryWord &&
      server.some(truth => truth.answer && truth.askedAt >= said.heardAt),
  ).length

/**
 * How long after the server had left recovery the probe first said so, in milliseconds: counted
 * from when the first "no longer in recovery" was heard, so that it can be negative by as much as
 * an answer of the session takes. Null when either never said it.
 */
export const lateness = ({ server, probe }: Testimony, primaryWord: string): number | null => {
  const truth = server.find(({ answer }) => !answer)
  const said = probe.find(({ answer }) => answer === primaryWord)
  return truth === undefined || said === undefined ? null : said.heardAt - truth.heardAt
}
