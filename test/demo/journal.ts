/**
 * What happens, one line each: time, who, what. Never redrawn, so that it can be scrolled back,
 * copied and piped.
 */
export type Line = {
  readonly who: string
  readonly what: string
  /** The reason; cut off where the screen ends. */
  readonly because?: string
}

export type Tell = (line: Line) => void

type Output = {
  readonly write: (text: string) => unknown
  /** Only of a terminal. */
  readonly columns?: number | undefined
}

export const createJournal =
  (output: Output, now: () => Date): Tell =>
  ({ who, what, because }) => {
    const line = `${timeOf(now())}  ${who.padEnd(8)} ${what}`
    const reason =
      because === undefined ? '' : `${' '.repeat(Math.max(1, 50 - line.length))} ${because}`
    output.write(`${fitting(line + reason, output.columns)}\n`)
  }

/** Local time to the millisecond, as a clock on the wall shows it. */
const timeOf = (date: Date): string => {
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()]
  const digits = clock.map(number => String(number).padStart(2, '0')).join(':')
  return `${digits}.${String(date.getMilliseconds()).padStart(3, '0')}`
}

const fitting = (line: string, columns: number | undefined): string =>
  columns === undefined || line.length <= columns ? line : `${line.slice(0, columns - 1)}…`
