/**
 * What the witnesses of one server say, all on one clock: CLOCK_MONOTONIC in milliseconds, which
 * is the same for every process of a machine.
 */

export type Heard<Said> = {
  /** Before the question left. */
  readonly askedAt: number
  /** After the answer was in. */
  readonly heardAt: number
  readonly said: Said
}

/**
 * A session that asks pg_is_in_recovery() over and over. `lost`: it broke, and whatever is said
 * next is said by another session; `refused`: that one could not be opened.
 */
export type SessionWord = 'in recovery' | 'not in recovery' | 'lost' | 'refused'

/** A new login. `hung`: neither accepted nor refused within its time. */
export type LoginWord = 'accepted' | 'refused' | 'hung'

/** A probe, asked over TCP: the bytes as text, or `refused`, `reset`, `hung`, '' for none. */
export type ProbeWord = string

export type Testimony = {
  readonly session: readonly Heard<SessionWord>[]
  readonly logins: readonly Heard<LoginWord>[]
  /** By the name of the probe. */
  readonly probes: ReadonlyMap<string, readonly Heard<ProbeWord>[]>
}

/**
 * Of the witnesses, and of those who note how long they could not run: enough to be passed over
 * whenever a server or a probe wants to run.
 */
export const niceness = 10

/** The clock of all testimony. */
export const now = (): number => Number(process.hrtime.bigint()) / 1e6

/** What one witness has to say, in columns: half a million answers cross a pipe in no time. */
export type Columns = {
  readonly words: readonly string[]
  /** Index into `words`. */
  readonly said: Uint16Array
  readonly askedAt: Float64Array
  readonly heardAt: Float64Array
}

export const toColumns = (heard: readonly Heard<string>[]): Columns => {
  const words = [...new Set(heard.map(({ said }) => said))]
  const indexes = new Map(words.map((word, index) => [word, index]))
  return {
    words,
    said: Uint16Array.from(heard, ({ said }) => indexes.get(said) ?? 0),
    askedAt: Float64Array.from(heard, ({ askedAt }) => askedAt),
    heardAt: Float64Array.from(heard, ({ heardAt }) => heardAt),
  }
}

export const fromColumns = ({ words, said, askedAt, heardAt }: Columns): readonly Heard<string>[] =>
  Array.from(said, (word, index) => ({
    askedAt: askedAt[index] ?? 0,
    heardAt: heardAt[index] ?? 0,
    said: words[word] ?? '',
  }))
