/** A mistake of the operator's: told in one line with a hint, never with a stack trace. */

export type OperatorError = {
  /** What was found against what was wanted: lower case, one line, without a stop. */
  readonly message: string
  readonly hint: string
}

/** One in a configuration file; the message says so, too. */
export type FileMistake = OperatorError & { readonly line: number }

/** As PostgreSQL's own tools print it; `linePrefix` is what journald wants before each line. */
export const printOperatorError = ({ message, hint }: OperatorError, linePrefix = ''): string =>
  `${linePrefix}pg-replstatus: error: ${message}\n${linePrefix}hint: ${hint}\n`
