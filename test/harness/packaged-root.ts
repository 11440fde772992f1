/**
 * The files of a whole system, made of a release's packages as its installer would: kept, and never
 * changed by what runs in it. Only root can make one.
 */
import { join } from 'node:path'
import { aptMirror } from './apt-mirror.ts'
import { keptFolder } from './kept-folder.ts'
import { spawnOverheard } from './overheard.ts'
import { inPidNamespace } from './pid-namespace.ts'
import { runProgram } from './programs.ts'
import { within } from './until.ts'

/** A minute and a half on a good line and two idle processors: 230 MB, and twice that unpacked. */
const makeLimitMs = 900_000

export type Release = {
  /** As its mirror labels itself. */
  readonly label: 'Debian' | 'Ubuntu'
  readonly number: string
  readonly name: string
  /** Where its Node.js is, too. */
  readonly components: string
}

/** The folder of the root. */
export const packagedRoot = async (
  { label, name, components }: Release,
  packages: readonly string[],
): Promise<string> =>
  keptFolder(join('roots', name), async folder => {
    const source = `deb ${await aptMirror(label)} ${name} ${components}`
    // Its signatures are checked; its age is not, since a mirror may be a snapshot.
    const apt = ['APT::Install-Recommends "false"', 'Acquire::Check-Valid-Until "false"']
    const settings = ['--format=directory', ...apt.map(option => `--aptopt=${option}`)]
    const chosen = ['--variant=apt', `--include=${packages.join(',')}`]
    // What it mounts, and what it runs, ends with it.
    await finish([...inPidNamespace, 'mmdebstrap', ...settings, ...chosen, name, folder, source])
  })

const finish = async (command: readonly string[]): Promise<void> => {
  const { child, said, ended } = spawnOverheard(command, '/')
  try {
    const code = await within(ended, { what: 'mmdebstrap', limitMs: makeLimitMs })
    if (code !== 0)
      throw new Error(
        said()
          .match(/^E: .*/gm)
          ?.join('\n') ?? said(),
      )
  } finally {
    child.kill('SIGKILL')
  }
}

/** Of a package in there, or of an installed one of a pattern; without epoch and revision. */
export const versionInRoot = async (root: string, name: string): Promise<string> => {
  const query = [`--admindir=${join(root, 'var/lib/dpkg')}`, '--show', '-f', '${Version}\n', name]
  const said = await runProgram({ program: 'dpkg-query', args: query, cwd: '/' })
  const [, version = ''] = /^(?:\d+:)?([\d.]+)/m.exec(said) ?? []
  return version
}
