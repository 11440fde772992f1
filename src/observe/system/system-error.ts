/** Errors of the system, told by their code: ENOENT, EACCES and the like. */
import { meansShortage } from '../../facts/outcome.ts'

export const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : String(error)

/** To be called first where an error becomes a value. */
export const throwShortage = (error: unknown): void => {
  if (meansShortage(errorCode(error))) throw error
}

/** Null if the call fails. Throws a shortage. */
export const nullIfRefused = async <Value>(call: () => Promise<Value>): Promise<Value | null> => {
  try {
    return await call()
  } catch (error) {
    throwShortage(error)
    return null
  }
}

/** The file does not exist, as opposed to: it cannot be read. */
export const meansAbsent = (code: string): boolean => code === 'ENOENT' || code === 'ENOTDIR'

/** Null in a shortage, whose error code is passed to `short`. */
export const nullInShortage = async <Value>(
  find: () => Promise<Value | null>,
  short: (code: string) => void = ignore,
): Promise<Value | null> => {
  try {
    return await find()
  } catch (error) {
    const code = errorCode(error)
    if (!meansShortage(code)) throw error
    short(code)
    return null
  }
}

const ignore = (): void => {}
