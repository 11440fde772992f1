/**
 * The arguments of a postmaster that identify it or its mode.
 *
 * Source: the getopt() string of PostmasterMain() in src/backend/postmaster/postmaster.c, 10 to 19.
 */

export type PostmasterArguments = {
  /** The value of -D; null if there is none, as for a server that uses PGDATA. */
  readonly dataDirectory: string | null
  /** `postgres -b`: pg_upgrade runs this server, and only for itself. */
  readonly binaryUpgrade: boolean
}

/** Letters without a value, then one that takes a value: what follows it, or the next argument. */
const options = /^-(?!-)([^BCcDdfhkNprStvW]*)(.?)(.*)$/s

/** `commandLine` is the content of /proc/PID/cmdline: arguments, each with a NUL after it. */
export const parsePostmasterArguments = (commandLine: string): PostmasterArguments => {
  const rest = commandLine.split('\0').slice(1).values()
  let dataDirectory: string | null = null
  let binaryUpgrade = false
  for (const argument of rest) {
    const [, letters = '', withValue = '', attached = ''] = options.exec(argument) ?? []
    if (letters.includes('b')) binaryUpgrade = true
    if (withValue === '') continue
    const value = attached === '' ? rest.next().value : attached
    if (withValue === 'D') dataDirectory = value ?? null
  }
  return { dataDirectory, binaryUpgrade }
}
