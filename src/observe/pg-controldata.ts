/**
 * PostgreSQL's own pg_controldata, run for those who would rather not trust our reader.
 *
 * It is run without a shell, in English and in UTC, one at a time (a look waits for it) and under
 * a time limit. What it prints is decoded in facts/control-data-report.ts.
 */
import { execFile } from 'node:child_process'
import { access, constants } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import type { ProgramFault } from '../facts/evidence.ts'
import { fact, fault, type Outcome } from '../facts/outcome.ts'

export type ControlDataProgram = {
  /** Runs it on a data directory of this PG_VERSION: all that it printed, or why it failed. */
  readonly run: (
    directory: string,
    version: string | null,
  ) => Promise<Outcome<string, ProgramFault>>
}

const runMsMax = 1000
const outputBytesMax = 64 * 1024

/** `path`: the program given by the operator; null to look for it. */
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

/** Where Debian and the RPM packages of the PostgreSQL project put it, then wherever PATH leads. */
const candidates = (version: string | null, searchPath: string): readonly string[] => [
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
    } catch {
      continue
    }
  }
  return null
}

const execute = (
  program: string,
  directory: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<Outcome<string, ProgramFault>> =>
  new Promise(resolve => {
    const options = {
      env: { ...env, LC_ALL: 'C', TZ: 'UTC', PG_COLOR: 'never' },
      timeout: runMsMax,
      killSignal: 'SIGKILL',
      maxBuffer: outputBytesMax,
    } as const
    // Without -D, which 9.4 does not know.
    execFile(program, [directory], options, (error, stdout, stderr) => {
      // Its warnings go to either stream; the decoder looks for them.
      if (error === null) return resolve(fact(stderr + stdout))
      const firstLine = stderr.split('\n', 1).join('').trim()
      if (firstLine !== '') return resolve(failed(firstLine))
      resolve(failed(error.killed === true ? `no answer within ${runMsMax} ms` : error.message))
    })
  })

const failed = (message: string): Outcome<string, ProgramFault> =>
  fault({ kind: 'program failed', message })
