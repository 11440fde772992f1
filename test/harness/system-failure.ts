/** An error as the system calls of Node have it. */
export const systemFailure = (code: string): Error => Object.assign(new Error(code), { code })

/** All that mean a shortage where something is opened. */
export const shortageCodes = ['EMFILE', 'ENFILE', 'ENOMEM'] as const

export type ShortageCode = (typeof shortageCodes)[number]
