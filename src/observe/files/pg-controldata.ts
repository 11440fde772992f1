/**
 * Runs PostgreSQL's own pg_controldata, for --control-check pg_controldata.
 *
 * It is run without a shell, with messages in English and times in UTC, one at a time (a look waits
 * for it) and with a time limit. facts/decode/pg-controldata-report.ts decodes its output.
 */
import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { ProgramFault } from '../../facts/decide/evidence.ts'
import { fact, fault, type Outcome, meansShortage } from '../../facts/outcome.ts'
import type { PgVersion } from '../../facts/units.ts'
import { errorCode, throwShortage } from '../system/system-error.ts'

export type ControlDataProgram = {
  /**
   * Runs it on a data directory of this PG_VERSION. Returns its output, or why it failed. Rejects
   * in a shortage, such as of descriptors.
   */
  readonly run: (
    directory: string,
    version: PgVersion | null,
  ) => Promise<Outcome<string, ProgramFault>>
}

const runMsMax = 1000
const outputBytesMax = 64 * 1024

/** `path`: the program, as given by --pg-controldata; null to search for it. */
export const findControlDataProgram = (
  path: string | null,
  env: Readonly<Record<string, string | undefined>>,
): ControlDataProgram => ({
  run: async (directory, version) => {
    const program = path ?? (await firstExecutable(candidates(version, env['PATH'] ?? '')))
    if (program === null) {
      const wanted = version === null ? '' : ` of PostgreSQL ${version}`
      return failed(`no pg_controldata${wanted} was found; name it with --pg-controldata`)
    }
    return execute(program, directory, env)
  },
})

/** The directories of the Debian and RPM packages of the PostgreSQL project, then those of PATH. */
const candidates = (version: PgVersion | null, searchPath: string): readonly string[] => [
  ...(version === null
    ? []
    : [`/usr/lib/postgresql/${version}/bin`, `/usr/pgsql-${version}/bin`]
  ).map(folder => join(folder, 'pg_controldata')),
  ...searchPath
    .split(delimiter)
    .filter(folder => folder !== '')
    .map(folder => join(folder, 'pg_controldata')),
]

const firstExecutable = async (paths: readonly string[]): Promise<string | null> => {
  for (const path of paths) {
    try {
      await access(path, constants.X_OK)
      return path
    } catch (error) {
      throwShortage(error)
    }
  }
  return null
}

const execute = (
  program: string,
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Outcome<string, ProgramFault>> =>
  new Promise((resolve, reject) => {
    const settle = (error: unknown, message: string): void => {
      if (meansShortage(errorCode(error))) reject(error)
      else resolve(failed(message))
    }
    const options = {
      env: { ...env, LC_ALL: 'C', TZ: 'UTC', PG_COLOR: 'never' },
      timeout: runMsMax,
      killSignal: 'SIGKILL',
      maxBuffer: outputBytesMax,
    } as const
    try {
      // Without -D, because 9.4 does not have it.
      execFile(program, [directory], options, (error, stdout, stderr) => {
        // Warnings may be on either stream; the decoder searches for them.
        if (error === null) return resolve(fact(stderr + stdout))
        const firstLine = stderr.split('\n', 1).join('').trim()
        if (firstLine !== '') return resolve(failed(firstLine))
        settle(error, error.killed === true ? `no answer within ${runMsMax} ms` : error.message)
      })
    } catch (error) {
      // Most errors of starting a process are passed to the callback above, but not all.
      settle(error, String(error))
    }
  })

const failed = (message: string): Outcome<string, ProgramFault> =>
  fault({ kind: 'program failed', message })
