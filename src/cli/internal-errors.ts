/**
 * Errors of the program itself. Node would end such a process with a stack trace and exit code 1,
 * which from `status` and `query` means a standby.
 */
import { exitCodes } from './exit-codes.ts'

/** The part of `process` that this needs. */
export type ErrorSource = Pick<NodeJS.Process, 'on' | 'off'> & {
  readonly exit: (code: number) => void
}

export type InternalErrorOptions = {
  readonly version: string
  /** What journald wants before each line; empty elsewhere. */
  readonly linePrefix: string
  readonly err: (text: string) => void
}

/**
 * From now on an exception that nothing catches is reported in one line, with a hint, and ends the
 * process with exit code 3. Node raises a rejection that nothing handles as such an exception. The
 * returned function ends that.
 */
export const claimInternalErrors = (
  source: ErrorSource,
  { version, linePrefix, err }: InternalErrorOptions,
) => {
  const report = (error: unknown): void => {
    err(
      `${linePrefix}pg-replstatus: internal error: ${oneLine(error)}\n` +
        `${linePrefix}hint: This is a bug in pg-replstatus ${version}. Report it with this line.\n`,
    )
    source.exit(exitCodes.couldNotLook)
  }
  source.on('uncaughtException', report)
  return (): void => {
    source.off('uncaughtException', report)
  }
}

/** The stack is what tells where to look for the bug. */
const oneLine = (error: unknown): string => {
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error)
  return text.replaceAll(/\s*\n\s*/g, ' ')
}
