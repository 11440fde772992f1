/**
 * Giving up root. What reads files and answers strangers needs nothing of root's, so it becomes
 * the owner of the data directory before it reads or listens.
 */
import { dirname } from 'node:path'
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import { errorCode } from '../observe/system-error.ts'
import type { Account, Accounts } from './accounts.ts'
import type { OperatorError } from './operator-error.ts'

export type Privileges =
  | { readonly kind: 'never had any' }
  | { readonly kind: 'dropped'; readonly account: Account }
  /** Root owns the path, so that there is nobody to become; nor is there anybody to fear. */
  | { readonly kind: 'still root' }

/**
 * A data directory that is still to be made is taken to belong to the owner of the nearest
 * directory above it that exists.
 */
export const dropPrivileges = async (
  directory: string,
  accounts: Accounts,
): Promise<Outcome<Privileges, OperatorError>> => {
  if (accounts.effectiveUser() !== 0) return fact({ kind: 'never had any' })
  const account = await nearestOwner(directory, accounts.ownerOf)
  if (account === null || account.user === 0) return fact({ kind: 'still root' })
  try {
    accounts.become(account)
    return fact({ kind: 'dropped', account })
  } catch (error) {
    const owner = account.name ?? `user id ${account.user}`
    return fault({
      message: `started as root, but can't become ${owner}, the owner of ${directory} (${errorCode(error)})`,
      hint: `run as ${owner}, or leave root the capabilities SETUID and SETGID`,
    })
  }
}

const nearestOwner = async (
  path: string,
  ownerOf: Accounts['ownerOf'],
): Promise<Account | null> => {
  const owner = await ownerOf(path)
  if (owner !== null || dirname(path) === path) return owner
  return nearestOwner(dirname(path), ownerOf)
}
