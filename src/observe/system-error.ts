/** Errors of the system, told by their code: ENOENT, EACCES and the like. */

export const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : String(error)

/** "There is none", as against "it can't be had". */
export const meansAbsent = (code: string): boolean => code === 'ENOENT' || code === 'ENOTDIR'
