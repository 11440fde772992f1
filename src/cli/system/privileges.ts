/**
 * Gives up root. The program needs no privileges, so it becomes another user before it reads, runs
 * or listens: the one named by --user, or the owner of the data directory.
 *
 * No user must be able to choose the account of another user with files of its own. Therefore each
 * part of the path (each folder, each link, and what it leads to) must belong to root or to the
 * user to become. The path may change after that check. Then this user, with its own rights only,
 * reads something else.
 */
import { quoteText } from '../../facts/visible-text.ts'
import { fact, fault, type Outcome } from '../../facts/outcome.ts'
import type { PathPart, PathParts } from '../../observe/files/path-parts.ts'
import { errorCode, meansAbsent } from '../../observe/system/system-error.ts'
import type { Account, Accounts } from './accounts.ts'
import { withSource, type GivenOptions } from '../options/settings.ts'
import type { OperatorError } from '../output/operator-error.ts'

export type Privileges =
  | { readonly kind: 'never had any' }
  | { readonly kind: 'dropped'; readonly account: Account }
  /** Only root controls the file. */
  | { readonly kind: 'still root' }

type Given = Exclude<Privileges, { readonly kind: 'still root' }>

/** For a command that checks one directory: an error says where that directory was given. */
export const dropPrivilegesFor = async (
  {
    user,
    directory,
    given,
  }: {
    readonly user: string | null
    readonly directory: string
    readonly given: GivenOptions
  },
  accounts: Accounts,
): Promise<Outcome<Given, OperatorError>> => {
  const dropped = await dropPrivileges({ user, directory }, accounts)
  return dropped.ok || user !== null ? dropped : fault(withSource(dropped.fault, given, 'pgdata'))
}

/** For a data directory that does not exist yet, the nearest folder above it is used. */
export const dropPrivileges = async (
  { user, directory }: { readonly user: string | null; readonly directory: string },
  accounts: Accounts,
): Promise<Outcome<Given, OperatorError>> => {
  if (user !== null) return becomeNamed(user, accounts)
  if (accounts.effectiveUser() !== 0) return fact({ kind: 'never had any' })
  const found = await accounts.partsOf(directory)
  const owner = found.parts.at(-1)
  if (owner === undefined || owner.user === 0) return fault(noOwner(directory, found))
  const dropped = await becomeOwner(owner, found.parts, accounts)
  if (!dropped.ok) return dropped
  // The path may have been replaced during the check.
  const now = await accounts.partsOf(directory)
  return isStill(owner.user, now) ? dropped : fault(changed(directory))
}

/**
 * Before a configuration file is read. If all parts of its path belong to root, root reads it. If
 * another user owns a part, the file is read as that user: otherwise a link to a file of root would
 * show its lines in error messages.
 */
export const dropPrivilegesForFile = async (
  { user, path }: { readonly user: string | null; readonly path: string },
  accounts: Accounts,
): Promise<Outcome<Privileges, OperatorError>> => {
  if (user !== null) return becomeNamed(user, accounts)
  if (accounts.effectiveUser() !== 0) return fact({ kind: 'never had any' })
  const { parts } = await accounts.partsOf(path)
  const other = parts.findLast(part => part.user !== 0)
  return other === undefined ? fact({ kind: 'still root' }) : becomeOwner(other, parts, accounts)
}

const becomeNamed = async (
  name: string,
  accounts: Accounts,
): Promise<Outcome<Given, OperatorError>> => {
  const account = await accounts.byName(name)
  if (account === null) return fault(unknownUser(name))
  if (account.user === 0) return fault(rootNamed(name))
  const self = accounts.effectiveUser()
  if (self === account.user) return fact({ kind: 'never had any' })
  if (self !== 0) return fault(notRoot(name, (await accounts.names())(self)))
  return become(account, accounts)
}

const becomeOwner = async (
  owner: PathPart,
  parts: readonly PathPart[],
  accounts: Accounts,
): Promise<Outcome<Given, OperatorError>> => {
  const foreign = parts.find(({ user }) => user !== 0 && user !== owner.user)
  if (foreign !== undefined) {
    const nameOf = await accounts.names()
    return fault(foreignPart(foreign, owner, nameOf))
  }
  return become(await accounts.byNumber(owner.user, owner.group), accounts)
}

const become = (account: Account, accounts: Accounts): Outcome<Given, OperatorError> => {
  try {
    accounts.become(account)
    return fact({ kind: 'dropped', account })
  } catch (error) {
    const name = account.name ?? `user id ${account.user}`
    return fault({
      message: `started as root, but could not become ${name}: ${errorCode(error)}`,
      hint: `run it as ${name}, or leave root the capabilities SETUID and SETGID`,
    })
  }
}

/** If the new user cannot read the path, the check that follows reports it. */
const isStill = (user: number, { parts, end }: PathParts): boolean =>
  parts.every(part => part.user === 0 || part.user === user) &&
  (end !== null || parts.at(-1)?.user === user)

const noOwner = (path: string, { end }: PathParts): OperatorError => {
  if (end === null) {
    return {
      message: `started as root, and ${path} belongs to root`,
      hint: 'it must belong to the user that runs the server; or name that user with --user',
    }
  }
  return meansAbsent(end)
    ? {
        message: `data directory ${path} does not exist`,
        hint: 'specify the data directory of the cluster, as for pg_ctl -D',
      }
    : {
        message: `started as root, and could not determine the owner of ${path}: ${end}`,
        hint: 'name the user that runs the server with --user',
      }
}

const foreignPart = (
  part: PathPart,
  owner: PathPart,
  nameOf: (user: number) => string,
): OperatorError => {
  const name = nameOf(owner.user)
  return {
    message: `started as root, and cannot become ${name}, the owner of ${owner.path}: ${part.path} belongs to ${nameOf(part.user)}`,
    hint: `each part of the path must belong to root or to ${name}; or name the user to run as with --user`,
  }
}

const changed = (path: string): OperatorError => ({
  message: `started as root, and the owner of ${path} changed during the start`,
  hint: 'start it again, or name the user to run as with --user',
})

const unknownUser = (name: string): OperatorError => ({
  message: `user ${quoteText(name)} of --user is not in /etc/passwd`,
  hint: 'to run as a user from elsewhere, such as LDAP, start pg-replstatus as that user',
})

const rootNamed = (name: string): OperatorError => ({
  message: `--user must not be root, but ${name} is`,
  hint: 'name the user that runs the server',
})

const notRoot = (name: string, self: string): OperatorError => ({
  message: `cannot become ${name} of --user: it runs as ${self}`,
  hint: `only root can become another user: start it as root or as ${name}, or leave out --user`,
})
