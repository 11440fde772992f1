/**
 * Errors of the program itself. Node.js would exit with a stack trace and exit code 1, which from
 * `status` and `query` means a standby.
 */
import { visibleText } from '../../facts/visible-text.ts'
import { exitCodes } from '../output/exit-codes.ts'
import { version } from '../output/version.ts'

/** The part of `process` that this needs. */
export type ErrorSource = Pick<NodeJS.Process, 'on' | 'off'> & {
  readonly exit: (code: number) => void
}

export type InternalErrorOptions = {
  /** The priority for journald; empty elsewhere. */
  readonly linePrefix: string
  readonly err: (text: string) => void
}

/**
 * Reports an uncaught exception in one line, with a hint, and exits with code 3. Node.js raises an
 * unhandled rejection as such an exception. The returned function ends that.
 */
export const catchInternalErrors = (
  source: ErrorSource,
  { linePrefix, err }: InternalErrorOptions,
) => {
  const report = (error: unknown): void => {
    err(
      `${linePrefix}pg-replstatus: internal error: ${oneLine(error)}\n` +
        `${linePrefix}hint: This is a bug in pg-replstatus ${version}. Report it with this line.\n`,
    )
    source.exit(exitCodes.error)
  }
  source.on('uncaughtException', report)
  return (): void => {
    source.off('uncaughtException', report)
  }
}

/** A reader of the output may exit first (`status | head -1`), which is not an error. */
export const ignoreClosedReaders = (
  streams: readonly Pick<NodeJS.WritableStream, 'on'>[],
): void => {
  for (const stream of streams) stream.on('error', () => {})
}

/** Resolves when something was written to it that has no reader any more. */
export const readerGone = (stream: Pick<NodeJS.WritableStream, 'on'>): Promise<void> =>
  new Promise(resolve => {
    stream.on('error', () => {
      resolve()
    })
  })

/** With the stack, which shows where the bug is. */
const oneLine = (error: unknown): string => {
  const text = error instanceof Error ? (error.stack ?? String(error)) : String(error)
  return visibleText(text.replaceAll(/\s*\n\s*/g, ' '))
}
