/**
 * The arguments that a postmaster was started with, as far as they tell something about it.
 *
 * Source: the getopt() string of PostmasterMain() in src/backend/postmaster/postmaster.c, 10 to 19.
 */

export type PostmasterArguments = {
  /** The value of -D; null if there is none, as for a server that uses PGDATA. */
  readonly dataDirectory: string | null
  /** `postgres -b`: pg_upgrade runs this server, and only for itself. */
  readonly binaryUpgrade: boolean
}

/** Options that take a value, in the same argument or in the next one. */
const withValue = 'BCcDdfhkNprStvW'

/** `commandLine` is the content of /proc/PID/cmdline: arguments, each with a NUL after it. */
export const parsePostmasterArguments = (commandLine: string): PostmasterArguments => {
  const rest = commandLine.split('\0').slice(1)
  let dataDirectory: string | null = null
  let binaryUpgrade = false
  for (let at = 0; at < rest.length; at += 1) {
    const [, letters] = /^-([^-].*)$/s.exec(rest[at] ?? '') ?? []
    for (const [index, letter] of [...(letters ?? '')].entries()) {
      if (letter === 'b') binaryUpgrade = true
      if (!withValue.includes(letter)) continue
      const attached = [...(letters ?? '')].slice(index + 1).join('')
      if (attached === '') at += 1
      if (letter === 'D') dataDirectory = attached === '' ? (rest[at] ?? null) : attached
      break
    }
  }
  return { dataDirectory, binaryUpgrade }
}
