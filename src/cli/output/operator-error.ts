/** An error that the operator can correct: reported in two lines, never with a stack trace. */
import { visibleText } from '../../facts/visible-text.ts'

export type OperatorError = {
  /** In the style of PostgreSQL: lower case, one line, without a full stop. */
  readonly message: string
  readonly hint: string
}

/** An error in a configuration file. The message contains the line as well. */
export type FileError = OperatorError & { readonly line: number }

/** In the format of PostgreSQL's tools. `linePrefix` is the priority for journald. */
export const printOperatorError = ({ message, hint }: OperatorError, linePrefix = ''): string =>
  `${linePrefix}pg-replstatus: error: ${visibleText(message)}\n` +
  `${linePrefix}hint: ${visibleText(hint)}\n`
