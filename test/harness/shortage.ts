/** A daemon in a system that has nothing more to give, while a test says so. See shortage.c. */
import { chmodSync, copyFileSync, renameSync, rmSync, symlinkSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { compile } from '../bench/tools.ts'
import { makeServerFolder } from './stand-in.ts'
import type { ShortageCode } from './system-failure.ts'

export type Shortage = {
  /** To be added to that of a program that Node runs. */
  readonly environment: Readonly<Record<string, string>>
  /** `where`: only what is opened below this path; default: whatever there is. */
  readonly begin: (code: ShortageCode, where?: string) => void
  readonly end: () => void
}

export const makeShortage = async (
  owner: Parameters<typeof makeServerFolder>[0],
): Promise<Shortage> => {
  const folder = makeServerFolder(owner)
  // Blanks in a path would end it there (ld.so(8)), and a clone may lie below any.
  const library = join(folder, 'library.so')
  copyFileSync(await compile('test/harness/shortage.c', ['-shared', '-fPIC']), library)
  chmodSync(folder, 0o755)
  const path = join(folder, 'shortage')
  return {
    environment: { LD_PRELOAD: library, SHORTAGE: path },
    begin: (code, where) => {
      const words = where === undefined ? [] : [where]
      symlinkSync([constants.errno[code], ...words].join(' '), `${path}.next`)
      renameSync(`${path}.next`, path)
    },
    end: () => rmSync(path, { force: true }),
  }
}
