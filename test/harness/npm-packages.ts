/**
 * Programs from npm that tests run and that are no part of what is installed. Each is fetched when
 * first asked for, into a folder of its own below .servers, and kept.
 */
import { join } from 'node:path'
import { keptFolder } from './kept-folder.ts'
import { runProgram, toolEnvironment } from './programs.ts'

/** Installing takes 3 s on a good line; a bad one may need a hundred times that. */
const installLimitMs = 300_000

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
  const inside = join('node_modules', name)
  // The version is part of the path, so that another one is installed anew.
  const place = await keptFolder(join(shelf, version), async folder => {
    await install(folder, `${name}@${version}`)
    await prepare?.(join(folder, inside))
  })
  return join(place, inside)
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
