/**
 * Programs from npm that tests run and that are no part of what is installed. Each is fetched when
 * first asked for, into a folder of its own below .servers, and kept.
 */
import { existsSync, mkdirSync, readdirSync } from 'node:fs'
import { chmod, mkdtemp, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ownedPrefix, removeLeftOvers } from './left-overs.ts'
import { runProgram, toolEnvironment } from './programs.ts'
import { repositoryRoot } from './repository.ts'

/** Installing takes 3 s on a good line; a bad one may need a hundred times that. */
const installLimitMs = 300_000

/** How the names of folders begin in which something is being installed. */
const incomplete = 'incomplete-'
const dayMs = 86_400_000

/** Of runs that were killed. */
export const clearDownloads = (servers = serversFolder()): void => {
  if (!existsSync(servers)) return
  for (const shelf of readdirSync(servers)) {
    removeLeftOvers({ parent: join(servers, shelf), prefix: incomplete, ageLimitMs: dayMs })
  }
}

/** Is nothing installed on this shelf yet? */
export const shelfIsEmpty = (shelf: string): boolean => {
  const folder = join(serversFolder(), shelf)
  return !existsSync(folder) || readdirSync(folder).every(name => name.startsWith(incomplete))
}

export const serversFolder = (): string => join(repositoryRoot(), '.servers')

export type Package = {
  readonly name: string
  readonly version: string
  /** Below .servers. */
  readonly shelf: string
  /** Done once, with the folder of the package. */
  readonly prepare?: (folder: string) => Promise<void>
}

/** The folder of the package. */
export const fetchPackage = async ({ name, version, shelf, prepare }: Package): Promise<string> => {
  const parent = join(serversFolder(), shelf)
  // The version is part of the path, so that another one is installed anew.
  const place = join(parent, version)
  const inside = join('node_modules', name)
  if (!existsSync(place)) {
    const folder = await makeIncomplete(parent)
    try {
      await install(folder, `${name}@${version}`)
      await prepare?.(join(folder, inside))
      // mkdtemp makes it for us alone, but root's servers run as another user.
      await chmod(folder, 0o755)
      await renameUnlessThere(folder, place)
    } finally {
      await rm(folder, { recursive: true, force: true })
    }
  }
  return join(place, inside)
}

const makeIncomplete = async (parent: string): Promise<string> => {
  try {
    mkdirSync(parent, { recursive: true })
    clearDownloads()
    return await mkdtemp(join(parent, ownedPrefix(incomplete)))
  } catch (failure) {
    if (!(failure instanceof Error && 'code' in failure && failure.code === 'EACCES')) throw failure
    const hint = `which another user has made: remove it with sudo rm -rf '${serversFolder()}'`
    throw new Error(`could not write to ${parent}, ${hint}`, { cause: failure })
  }
}

const install = async (folder: string, what: string): Promise<void> => {
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error']
  const apart = ['--no-save', '--no-package-lock', '--ignore-scripts', '--prefix', folder]
  const args = ['install', ...apart, ...quiet, what]
  const npm = { cwd: folder, environment: toolEnvironment(), limitMs: installLimitMs }
  try {
    await runProgram({ ...npm, program: 'npm', args })
  } catch (failure) {
    throw new Error(`npm could not install ${what}`, { cause: failure })
  }
}

/** Another process that was faster has put the same thing there. */
export const renameUnlessThere = async (folder: string, place: string): Promise<void> => {
  try {
    await rename(folder, place)
  } catch (failure) {
    const code = failure instanceof Error && 'code' in failure ? failure.code : null
    if (code !== 'EEXIST' && code !== 'ENOTEMPTY') throw failure
  }
}
