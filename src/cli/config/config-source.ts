/**
 * Reads the text of a configuration file, at the start and again on SIGHUP.
 *
 * It may be a pipe of the shell: --config <(...). A pipe may have no writer, in particular on
 * SIGHUP, when it has been read already. Therefore it is opened without waiting, which would block
 * one of libuv's four threads, and read repeatedly for a limited time.
 */
import { constants, open, type FileHandle } from 'node:fs/promises'
import { fact, fault, type Outcome } from '../../facts/outcome.ts'
import { pause, systemClock, type Clock } from '../../observe/system/clock.ts'
import { errorCode } from '../../observe/system/system-error.ts'
import type { OperatorError } from '../output/operator-error.ts'
import { timeLimitMs } from '../system/time-limit.ts'

/** A thousand clusters need a tenth of it. */
export const configBytesMax = 1024 * 1024

export const readConfig = async (
  path: string,
  { clock = systemClock, limitMs = timeLimitMs }: Partial<PipeTime> = {},
): Promise<Outcome<string, OperatorError>> => {
  try {
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const status = await file.stat()
      if (!status.isFile() && !status.isFIFO()) return fault(neither(path))
      const buffer = Buffer.alloc(configBytesMax + 1)
      const length = await fill(buffer, file, status.isFIFO() ? { clock, limitMs } : null)
      if (length === null) return fault(noEnd(path, limitMs))
      return length > configBytesMax
        ? fault(tooLong(path))
        : fact(buffer.toString('utf8', 0, length))
    } finally {
      await file.close()
    }
  } catch (error) {
    return fault(unreadable(path, errorCode(error)))
  }
}

type PipeTime = { readonly clock: Clock; readonly limitMs: number }

/** Between two attempts to read a pipe. */
const pauseMs = 10

/** The number of bytes; null if a pipe is not written and closed in time. */
const fill = async (
  buffer: Buffer,
  file: FileHandle,
  pipe: PipeTime | null,
): Promise<number | null> => {
  const end = pipe === null ? Infinity : pipe.clock.monotonic() + pipe.limitMs
  let length = 0
  // A read may return a part only.
  while (length < buffer.length) {
    const count = await readSome(file, buffer, length)
    length += count ?? 0
    if (count !== null && count > 0) continue
    // A pipe without a writer is at its end immediately.
    if (pipe === null || (count === 0 && length > 0)) break
    if (pipe.clock.monotonic() >= end) return null
    await pause(pipe.clock, pauseMs)
  }
  return length
}

/** Null if a pipe has a writer and no data. */
const readSome = async (file: FileHandle, buffer: Buffer, at: number): Promise<number | null> => {
  try {
    const { bytesRead } = await file.read(buffer, at)
    return bytesRead
  } catch (error) {
    if (errorCode(error) === 'EAGAIN') return null
    throw error
  }
}

const tooLong = (path: string): OperatorError => ({
  message: `could not read ${path}: over ${configBytesMax} bytes`,
  hint: 'a configuration file has a [section] for each cluster; --discover prints one',
})

const expected = 'it must be a file with a [section] for each cluster'

const neither = (path: string): OperatorError => ({
  message: `could not read ${path}: neither a file nor a pipe`,
  hint: expected,
})

const noEnd = (path: string, limitMs: number): OperatorError => ({
  message: `could not read ${path}: the pipe was not written and closed within ${limitMs} ms`,
  hint: 'a pipe can be read once; SIGHUP requires a file',
})

const unreadable = (path: string, code: string): OperatorError => ({
  message: `could not read ${path}: ${code}`,
  hint: hints.get(code) ?? expected,
})

const tooManyOpen = 'too many files are open: see ulimit -n and fs.file-max'

const hints: ReadonlyMap<string, string> = new Map([
  ['EMFILE', tooManyOpen],
  ['ENFILE', tooManyOpen],
  ['ENOENT', 'create it with: pg-replstatus --discover > FILE'],
  ['EACCES', 'it must be readable by the user that runs the servers'],
])
