/** apt, and the mirror that its sources name. */
import { runProgram, toolEnvironment } from './programs.ts'

/** Seconds on a good line: some 11 MB of lists, and 15 to 20 MB of packages. */
const aptLimitMs = 300_000

export const runApt = async (args: readonly string[]): Promise<string> =>
  runProgram({
    program: 'apt-get',
    args,
    cwd: '/',
    environment: { ...toolEnvironment(), LC_ALL: 'C' },
    limitMs: aptLimitMs,
  })

/** Of Debian or Ubuntu: not that of security updates, nor one for other packages. */
export const aptMirror = async (label: string): Promise<string> => {
  const wanted = ['Created-By: Packages', `Label: ${label}`, 'Component: main']
  const listed = await runApt(['indextargets', '--format', '$(REPO_URI)', ...wanted])
  const [mirror = ''] = listed.split('\n')
  if (mirror === '') throw new Error(`apt has no list of ${label}'s packages`)
  return mirror
}
