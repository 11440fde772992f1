/**
 * Users and groups: the current user, the owners of the parts of a path, names of users, and how to
 * become another user.
 *
 * Names are read from /etc/passwd only. Users from elsewhere, such as LDAP, have no name here.
 */
import { closeSync, readdirSync, readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { partsOf, type PathParts } from '../../observe/files/path-parts.ts'

export type Account = {
  readonly user: number
  /** The primary group; that of the path if the user is not in /etc/passwd. */
  readonly group: number
  /** Null if the user is not in /etc/passwd. */
  readonly name: string | null
  readonly home: string
  /** Null if it is unknown. */
  readonly shell: string | null
}

export type Accounts = {
  readonly effectiveUser: () => number
  /** Of an absolute path. */
  readonly partsOf: (path: string) => Promise<PathParts>
  /** Null if the user is not in /etc/passwd. */
  readonly byName: (name: string) => Promise<Account | null>
  /** `group` is used if the user is not in /etc/passwd. */
  readonly byNumber: (user: number, group: number) => Promise<Account>
  /** Returns the names of users, or `user id N`. */
  readonly names: () => Promise<(user: number) => string>
  /** Permanent. Throws an error of the system. */
  readonly become: (account: Account) => void
}

/** The part of `process` that this needs. It exists on all POSIX systems. */
export type Self = {
  readonly env: { [variable: string]: string | undefined }
  readonly geteuid: () => number
  readonly setgroups: (groups: readonly number[]) => void
  /** Sets all groups of the user. */
  readonly initgroups: (name: string, group: number) => void
  readonly setgid: (group: number) => void
  readonly setuid: (user: number) => void
  readonly umask: (mask: number) => void
  readonly chdir: (directory: string) => void
}

export const openAccounts = (
  self: Self,
  { passwdPath = '/etc/passwd', closeDescriptors = closeInheritable } = {},
): Accounts => {
  const entries = async (): Promise<readonly Account[]> =>
    parsePasswd(await readFile(passwdPath, 'utf8').catch(noText))
  return {
    effectiveUser: () => self.geteuid(),
    partsOf,
    byName: async name => (await entries()).find(entry => entry.name === name) ?? null,
    byNumber: async (user, group) =>
      (await entries()).find(entry => entry.user === user) ?? nameless(user, group),
    names: async () => {
      // Of several names of a user the first one is used, as by getpwuid(3).
      const names = new Map((await entries()).toReversed().map(({ user, name }) => [user, name]))
      return user => names.get(user) ?? `user id ${user}`
    },
    become: account => {
      const { user, group, name } = account
      closeDescriptors()
      // The order matters: without root's user id the groups cannot be changed.
      if (name === null) self.setgroups([group])
      else self.initgroups(name, group)
      self.setgid(group)
      self.setuid(user)
      settleIn(account, self)
    },
  }
}

const noText = (): string => ''

/** nogroup, the same in every distribution. */
const nobodysGroup = 65_534

/** Root's group is not given to another user. A path may have it through a setgid folder. */
const nameless = (user: number, group: number): Account => ({
  user,
  group: group === 0 ? nobodysGroup : group,
  name: null,
  home: '/',
  shell: null,
})

/** Lines of NIS begin with a sign, have no numbers, and are ignored. */
const parsePasswd = (text: string): readonly Account[] =>
  Array.from(
    text.matchAll(/^([^:\n]+):[^:\n]*:(\d+):(\d+):[^:\n]*:([^:\n]*):([^:\n]*)$/gm),
    ([, name = '', user, group, home = '', shell = '']) => ({
      user: Number(user),
      group: Number(group),
      name,
      home: home === '' ? '/' : home,
      shell: shell === '' ? null : shell,
    }),
  )

/**
 * The environment variables that are kept when root is given up: path, language, options, and
 * those of systemd. Others may contain secrets, such as passwords of other services, which child
 * processes must not inherit. `LC_*` means all variables that begin with `LC_`.
 */
export const keptVariables: readonly string[] = [
  'PATH',
  'LANG',
  'LANGUAGE',
  'LC_*',
  'TZ',
  'PGDATA',
  'PG_REPLSTATUS_*',
  'NOTIFY_SOCKET',
  'LISTEN_PID',
  'LISTEN_FDS',
  'JOURNAL_STREAM',
]

const isKept = (variable: string): boolean =>
  keptVariables.includes(variable.replace(/^(LC_|PG_REPLSTATUS_).+/, '$1*'))

/**
 * Sets what a process inherits from the user who starts it. The umask is that of systemd and login:
 * files that a command creates can be read by other programs, such as a load balancer.
 */
const settleIn = ({ name, home, shell }: Account, self: Self): void => {
  self.umask(0o022)
  for (const variable of Object.keys(self.env)) {
    if (!isKept(variable)) delete self.env[variable]
  }
  for (const [variable, value] of Object.entries({ USER: name, LOGNAME: name, SHELL: shell })) {
    if (value !== null) self.env[variable] = value
  }
  self.env['HOME'] = home
  try {
    self.chdir(home)
  } catch {
    // It does not exist, or the user cannot enter it.
    self.chdir('/')
  }
}

/** O_CLOEXEC of Linux, on all processors that Node runs on. */
const closeOnExec = 0o2_000_000
const lastStandard = 2

/**
 * Closes the descriptors that a child process would inherit, such as a file that root's shell had
 * open. Of those above 15, Node.js passes on all that follow a gap (uv_disable_stdio_inheritance()
 * of libuv). Without /proc they are not known.
 */
export const closeInheritable = (folder = '/proc/self', close = closeSync): void => {
  for (const descriptor of descriptorsIn(folder)) {
    if (descriptor > lastStandard && isInheritable(folder, descriptor)) close(descriptor)
  }
}

const descriptorsIn = (folder: string): readonly number[] => {
  try {
    return readdirSync(join(folder, 'fd')).map(Number)
  } catch {
    return []
  }
}

const isInheritable = (folder: string, descriptor: number): boolean => {
  try {
    const text = readFileSync(join(folder, 'fdinfo', String(descriptor)), 'latin1')
    const [, flags] = /^flags:\s*([0-7]+)$/m.exec(text) ?? []
    return flags !== undefined && (Number.parseInt(flags, 8) & closeOnExec) === 0
  } catch {
    // The descriptor of the listing itself is closed by now.
    return false
  }
}
