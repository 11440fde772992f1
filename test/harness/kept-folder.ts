/** Folders below .servers: each is made once, by the first process that needs it, and complete. */
import { existsSync, readdirSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { ownedPrefix, removeLeftOvers } from './left-overs.ts'
import { repositoryRoot } from './repository.ts'

/** How the names of folders begin that are being filled. */
const incomplete = 'incomplete-'
const dayMs = 86_400_000

export const serversFolder = (): string => join(repositoryRoot(), '.servers')

/** Of runs that were killed. */
export const clearDownloads = (servers = serversFolder()): void => {
  if (!existsSync(servers)) return
  for (const shelf of readdirSync(servers)) {
    removeLeftOvers({ parent: join(servers, shelf), prefix: incomplete, ageLimitMs: dayMs })
  }
}

/** Is nothing complete on this shelf yet? */
export const shelfIsEmpty = (shelf: string): boolean => {
  const folder = join(serversFolder(), shelf)
  return !existsSync(folder) || readdirSync(folder).every(name => name.startsWith(incomplete))
}

/** The folder of this name, filled unless it is there. */
export const keptFolder = async (
  name: string,
  fill: (folder: string) => Promise<void>,
): Promise<string> => {
  const place = join(serversFolder(), name)
  if (existsSync(place)) return place
  const folder = await makeIncomplete(dirname(place))
  try {
    await fill(folder)
    // mkdtemp makes it for us alone, but root's servers run as another user.
    await chmod(folder, 0o755)
    await renameUnlessThere(folder, place)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return place
}

const makeIncomplete = async (parent: string): Promise<string> => {
  try {
    await mkdir(parent, { recursive: true })
    clearDownloads()
    return await mkdtemp(join(parent, ownedPrefix(incomplete)))
  } catch (failure) {
    if (!(failure instanceof Error && 'code' in failure && failure.code === 'EACCES')) throw failure
    const hint = `which another user has made: remove it with sudo rm -rf '${serversFolder()}'`
    throw new Error(`could not write to ${parent}, ${hint}`, { cause: failure })
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
