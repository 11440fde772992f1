/** Folders below .servers: each is made once, by the first process that needs it, and complete. */
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, rename, rm } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { repositoryRoot } from './repository.ts'

/** The folder of this name, filled unless it is there. */
export const keptFolder = async (
  name: string,
  fill: (folder: string) => Promise<void>,
): Promise<string> => {
  const place = join(repositoryRoot(), '.servers', name)
  if (existsSync(place)) return place
  const parent = dirname(place)
  await mkdir(parent, { recursive: true })
  const folder = await mkdtemp(join(parent, 'incomplete-'))
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

/** Another process that was faster has put the same thing there. */
export const renameUnlessThere = async (folder: string, place: string): Promise<void> => {
  try {
    await rename(folder, place)
  } catch (failure) {
    const code = failure instanceof Error && 'code' in failure ? failure.code : null
    if (code !== 'EEXIST' && code !== 'ENOTEMPTY') throw failure
  }
}
