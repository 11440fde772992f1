/**
 * Users and groups: who we are, whose a path is, what a user is called, and becoming another.
 *
 * The only door to them. Names come from /etc/passwd; users from elsewhere, such as LDAP, go by
 * their numbers.
 */
import { readFile, stat } from 'node:fs/promises'

export type Account = {
  readonly user: number
  /** The user's own group; that of his path where he is not in /etc/passwd. */
  readonly group: number
  /** Null where he is not in /etc/passwd. */
  readonly name: string | null
}

export type Accounts = {
  readonly effectiveUser: () => number
  /** Null for a path that does not exist, or that is not for us to see. */
  readonly ownerOf: (path: string) => Promise<Account | null>
  /** What users are called, as far as it is known. */
  readonly names: () => Promise<(user: number) => string>
  /** For good. Throws what the system has against it. */
  readonly become: (account: Account) => void
}

/** The part of `process` that this needs; all of it is there on POSIX systems. */
export type Self = {
  readonly geteuid: () => number
  readonly setgroups: (groups: readonly number[]) => void
  /** Takes over the groups of which the user is a member as well. */
  readonly initgroups: (name: string, group: number) => void
  readonly setgid: (group: number) => void
  readonly setuid: (user: number) => void
}

export const openAccounts = (self: Self, passwdPath = '/etc/passwd'): Accounts => {
  const entries = async (): Promise<readonly Account[]> =>
    parsePasswd(await readFile(passwdPath, 'utf8').catch(noText))
  return {
    effectiveUser: () => self.geteuid(),
    ownerOf: async path => {
      const status = await stat(path).catch(noStatus)
      if (status === null) return null
      const unnamed = { user: status.uid, group: status.gid, name: null }
      return (await entries()).find(({ user }) => user === status.uid) ?? unnamed
    },
    names: async () => {
      // Of several names of a user the first one counts, as everywhere.
      const names = new Map((await entries()).toReversed().map(({ user, name }) => [user, name]))
      return user => names.get(user) ?? `user id ${user}`
    },
    become: ({ user, group, name }) => {
      // The order matters: without root's user id the groups can't be changed any more.
      if (name === null) self.setgroups([group])
      else self.initgroups(name, group)
      self.setgid(group)
      self.setuid(user)
    },
  }
}

const noText = (): string => ''
const noStatus = (): null => null

/** Lines of NIS have signs and no numbers. */
const parsePasswd = (text: string): readonly Account[] =>
  Array.from(text.matchAll(/^([^:\n]+):[^:\n]*:(\d+):(\d+):/gm), ([, name = '', user, group]) => {
    return { name, user: Number(user), group: Number(group) }
  })
