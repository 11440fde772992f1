/**
 * HAProxy of other releases of Debian than the one of the machine: fetched by apt, from the mirror
 * that its sources name, with lists and folders of its own, so that the apt of the machine knows
 * nothing of it. What was fetched is unpacked, not installed, and runs with the libraries that came
 * with it. No root is needed.
 */
import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { aptMirror, runApt } from './apt-mirror.ts'
import { forServerUser } from './for-server-user.ts'
import { keptFolder } from './kept-folder.ts'
import { temporaryFolder } from './left-overs.ts'
import { runProgram } from './programs.ts'

export type Suite = {
  readonly name: string
  /** Where the libraries are that it does not have itself. */
  readonly base?: string
}

/** The folder that it was unpacked into. */
export const fetchHaproxy = async (suite: Suite): Promise<string> =>
  keptFolder(join('haproxy', suite.name), async folder => unpack(folder, suite))

/** The folder with the program `haproxy`, for the server user. */
export const haproxyBinaries = async (folder: string): Promise<string> => {
  const version = await versionOf(join(folder, 'bin/haproxy'))
  const command = ['bin/haproxy', '-v'] as const
  return join(await forServerUser({ folder, command, name: `haproxy-${version}` }), 'bin')
}

/** As in `2.6.12`. */
export const versionOf = async (program: string): Promise<string> => {
  const said = await runProgram({ program, args: ['-v'], cwd: '/' })
  const [, version] = /^HAProxy version (\d+\.\d+\.\d+)/.exec(said) ?? []
  if (version === undefined) throw new Error(`${program} -v says ${JSON.stringify(said)}`)
  return version
}

/** Both as in `3.4` or `3.4.7`. */
export const isAtLeast = (version: string, least: string): boolean =>
  least.localeCompare(version, 'en', { numeric: true }) <= 0

const unpack = async (folder: string, suite: Suite): Promise<void> => {
  const scratch = temporaryFolder()
  try {
    // The user _apt has to get there, as whom apt fetches if root runs it.
    await chmod(scratch, 0o755)
    await prepare(scratch, { suite, mirror: await aptMirror('Debian') })
    await apt(scratch, ['update', '-qq', '--error-on=any'])
    const only = ['--download-only', '--no-install-recommends', '-qq', '-y']
    await apt(scratch, ['install', ...only, '--target-release', suite.name, 'haproxy'])
    const archives = join(scratch, 'cache/archives')
    const packages = (await readdir(archives)).filter(name => name.endsWith('.deb'))
    for (const name of packages) {
      const args = ['--extract', join(archives, name), folder]
      await runProgram({ program: 'dpkg-deb', args, cwd: '/' })
    }
    await addLauncher(folder)
  } finally {
    await rm(scratch, { recursive: true, force: true })
  }
}

const apt = async (scratch: string, args: readonly string[]): Promise<string> =>
  runApt(['-c', join(scratch, 'apt.conf'), ...args])

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg'

/** The configuration is read after that of the machine: proxies are its own, hooks are none. */
const prepare = async (
  scratch: string,
  { suite, mirror }: { readonly suite: Suite; readonly mirror: string },
): Promise<void> => {
  const place = (name: string): string => JSON.stringify(join(scratch, name))
  const config = `#clear APT::Default-Release;
#clear APT::Update;
#clear DPkg;
#clear Acquire::Languages;
Acquire::Languages "none";
Dir::State ${place('state')};
Dir::State::status ${place('status')};
Dir::Cache ${place('cache')};
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts ${place('sources')};
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
`
  const suites = suite.base === undefined ? suite.name : `${suite.base} ${suite.name}`
  const source = `Types: deb\nURIs: ${mirror}\nSuites: ${suites}\nComponents: main\n`
  for (const name of ['state/lists/partial', 'cache/archives/partial', 'sources']) {
    await mkdir(join(scratch, name), { recursive: true })
  }
  await writeFile(join(scratch, 'sources/debian.sources'), `${source}Signed-By: ${keyring}\n`)
  // No package is installed, so that all that it needs is fetched.
  await writeFile(join(scratch, 'status'), '')
  await writeFile(join(scratch, 'apt.conf'), config)
}

/** The C library is its own as well, so that its own loader has to start it. */
const addLauncher = async (folder: string): Promise<void> => {
  const libraries = await readdir(join(folder, 'usr/lib'), { recursive: true })
  const name = libraries.find(path => /^[^/]+\/ld-linux[^/]*\.so\.\d+$/.test(path))
  if (name === undefined) throw new Error('no loader among the packages')
  const loader = join('usr/lib', name)
  const script = `#!/bin/sh
top=$(dirname "$(dirname "$0")")
exec "$top/${loader}" --library-path "$top/${dirname(loader)}" "$top/usr/sbin/haproxy" "$@"
`
  await mkdir(join(folder, 'bin'))
  await writeFile(join(folder, 'bin/haproxy'), script, { mode: 0o755 })
}
