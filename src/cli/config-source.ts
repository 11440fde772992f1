/** The text of a configuration file, read at the start and again on SIGHUP. */
import { open } from 'node:fs/promises'
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import { errorCode } from '../observe/system-error.ts'
import type { OperatorError } from './operator-error.ts'

/** A thousand clusters take a tenth of it. */
export const configBytesMax = 1024 * 1024

export const readConfig = async (path: string): Promise<Outcome<string, OperatorError>> => {
  try {
    const file = await open(path)
    try {
      const buffer = Buffer.alloc(configBytesMax + 1)
      let length = 0
      // What it gives to one read need not be all: it may be a pipe.
      for (;;) {
        const { bytesRead } = await file.read(buffer, length)
        length += bytesRead
        if (bytesRead === 0) break
      }
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

const tooLong = (path: string): OperatorError => ({
  message: `${path} is longer than ${configBytesMax} bytes, wanted a configuration file`,
  hint: 'it holds a [section] for each cluster; "pg-replstatus --discover" prints one',
})

const unreadable = (path: string, code: string): OperatorError => ({
  message: `${path} can't be read (${code}), wanted a configuration file`,
  hint: hints.get(code) ?? 'it has to be a file with a [section] for each cluster',
})

const hints: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'make one with: pg-replstatus --discover > FILE'],
  ['EACCES', 'it has to be readable by the user that runs the servers'],
])
