/**
 * Programs of the system that some tests need. A test whose program is missing says loudly what is
 * missing and how to get it; where `CI` is set that is a failure, since there nobody reads it.
 */
import assert from 'node:assert'
import { accessSync, constants, existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { whyNoControlGroup, type CgroupVersion } from './control-group.ts'
import { whyNoNamespace } from './pid-namespace.ts'
import { postgresMajors } from './postgres-binaries.ts'

/** Packages of Debian and Ubuntu; the programs have the same names elsewhere. */
const packages = {
  haproxy: 'haproxy',
  // Debian's alternatives decide which of these four it is.
  nc: 'netcat-openbsd',
  'nc.openbsd': 'netcat-openbsd',
  'nc.traditional': 'netcat-traditional',
  ncat: 'ncat',
  busybox: 'busybox',
  psql: 'postgresql-client',
  cc: 'gcc libc6-dev',
  curl: 'curl',
  promtool: 'prometheus',
  prometheus: 'prometheus',
  man: 'man-db groff-base',
  mandoc: 'mandoc',
  'systemd-analyze': 'systemd',
  'systemd-notify': 'systemd',
  'systemd-socket-activate': 'systemd',
  perl: 'perl-base',
  'dpkg-deb': 'dpkg',
  lintian: 'lintian',
  fakeroot: 'fakeroot',
  nagios4: 'nagios4-core',
  keepalived: 'keepalived',
  ip: 'iproute2',
  strace: 'strace',
  openssl: 'openssl',
  pg_createcluster: 'postgresql-common',
  chromium: 'chromium',
} as const

export type ProgramName = keyof typeof packages

/** Folders that are often missing on the PATH of people who are not root. */
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin']

export const findProgram = (name: ProgramName): string | null => {
  const searched = (process.env['PATH'] ?? '').split(delimiter).filter(folder => folder !== '')
  const paths = [...searched, ...systemFolders].map(folder => join(folder, name))
  return paths.find(isExecutable) ?? null
}

export const howToInstall = (name: ProgramName): string =>
  `${name} is not installed: apt-get install ${packages[name]}, or its like elsewhere`

export type ControlDataProgram = { readonly major: number; readonly path: string }

/** pg_controldata beside an installed server, of a major version that we can run ourselves. */
export const findControlData = (): ControlDataProgram | null => {
  const places = postgresMajors.toReversed().flatMap(major => [
    { major, path: `/usr/lib/postgresql/${major}/bin/pg_controldata` },
    { major, path: `/usr/pgsql-${major}/bin/pg_controldata` },
  ])
  return places.find(({ path }) => isExecutable(path)) ?? null
}

const isExecutable = (path: string): boolean => {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

export type Need<Found> = {
  /** For tap: the test runs, or tells why it does not. */
  readonly options: { readonly skip: false | string }
  /** Only for a test that runs. */
  readonly get: () => Found
}

/** A program by its name, for tests that use it. */
export const needProgram = (name: ProgramName): Need<string> =>
  need(findProgram(name), howToInstall(name))

export const needControlData = (): Need<ControlDataProgram> =>
  need(
    findControlData(),
    `no pg_controldata is installed: apt-get install postgresql-15, or another of ${postgresMajors.join(', ')}`,
  )

/** Namespaces of the kernel, for tests that make containers of their own. */
export const needNamespaces = (): Need<true> => {
  const why = whyNoNamespace()
  return need(why === null ? true : null, why ?? '')
}

/** To freeze servers; only root may. */
export const needControlGroup = (version: CgroupVersion): Need<CgroupVersion> => {
  const root = needRoot()
  if (root.options.skip !== false) return leftOut(root.options.skip)
  const why = whyNoControlGroup(version)
  return need(why === null ? version : null, why ?? '')
}

const workerLibrary = '/usr/lib/postgresql/15/lib/bgw_replstatus.so'

/** bgw_replstatus, of Debian and Ubuntu; the major version it is built for. */
export const needWorker = (): Need<number> =>
  need(
    existsSync(workerLibrary) ? 15 : null,
    'no bgw_replstatus is installed: apt-get install postgresql-15-bgw-replstatus',
  )

/** For what nobody else may do, even in namespaces of his own; .ci/run repeats it as root. */
export const needRoot = (): Need<true> =>
  process.getuid?.() === 0
    ? { options: { skip: false }, get: () => true }
    : leftOut('this needs root: run it again with sudo')

const need = <Found>(found: Found | null, missing: string): Need<Found> => {
  if (found !== null) return { options: { skip: false }, get: () => found }
  if (process.env['CI']) throw new Error(`${missing} (a test is never left out where CI is set)`)
  return leftOut(missing)
}

const leftOut = (missing: string): Need<never> => {
  process.stderr.write(`NOT TESTED: ${missing}\n`)
  return { options: { skip: missing }, get: () => assert.fail(missing) }
}
