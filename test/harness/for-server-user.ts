/** Programs that the server user can run, also where he cannot go to the checkout. */
import { existsSync } from 'node:fs'
import { cp, lstat, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { renameUnlessThere } from './kept-folder.ts'
import { clearTemporary, ownedPrefix } from './left-overs.ts'
import { runProgram } from './programs.ts'
import { serverUser } from './server-user.ts'

type Programs = {
  readonly folder: string
  /** Says which version it is, from the folder on, with its arguments. */
  readonly command: readonly [string, string]
  /** Name and version, for the copy. */
  readonly name: string
}

/** The folder, or a copy of it. */
export const forServerUser = async ({ folder, command, name }: Programs): Promise<string> => {
  if (await runs(folder, command)) return folder
  const copy = await copyForServerUser(folder, name)
  if (await runs(copy, command)) return copy
  const program = join(copy, command[0])
  throw new Error(`the server user cannot run ${program}: is ${tmpdir()} mounted noexec?`)
}

const runs = async (folder: string, [program, ...args]: Programs['command']): Promise<boolean> => {
  try {
    await runProgram({ program: join(folder, program), args, cwd: '/', user: serverUser() })
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
const copyForServerUser = async (original: string, name: string): Promise<string> => {
  const place = join(tmpdir(), `pg-replstatus-${name}`)
  if (!existsSync(place)) {
    clearTemporary()
    const folder = await mkdtemp(ownedPrefix(`${place}-`))
    try {
      await cp(original, folder, { recursive: true, verbatimSymlinks: true })
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
