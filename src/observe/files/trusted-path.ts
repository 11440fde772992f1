/**
 * Which other users can create a file at a path.
 *
 * A user who may write to a directory can create, remove and rename its entries; a user who may
 * write to a directory above can replace it. Only the sticky bit, as of /tmp, protects entries from
 * users who do not own them. An access control list (ACL) shows in the permission bits of the
 * group.
 */
import { partsOf, type PathPart } from './path-parts.ts'

/** The effective user id; it changes when root privileges are dropped. */
export const ourUser = (): number | undefined => process.geteuid?.()

/** It is owned by root, or by the user that this process runs as. */
export const isTrusted = (
  { uid }: { readonly uid: number | bigint },
  us: number | undefined,
): boolean => Number(uid) === 0 || Number(uid) === us

/**
 * Why users other than root and `us` can create a file in this directory, in a few words; null if
 * they cannot. If it is missing, its existing parents are checked; parts that cannot be read are
 * not. Never rejects. `folder` is absolute.
 */
export const whoElseWrites = async (folder: string, us = ourUser()): Promise<string | null> => {
  const { parts } = await partsOf(folder)
  const last = parts.findLast(({ isLink }) => !isLink)
  for (const part of parts) {
    const flaw = flawOf(part, { us, isLast: part === last })
    if (flaw !== null) return flaw
  }
  return null
}

const sticky = 0o1000

const flawOf = (
  { path, user, group, isLink, mode }: PathPart,
  { us, isLast }: { readonly us: number | undefined; readonly isLast: boolean },
): string | null => {
  if (!isTrusted({ uid: user }, us)) return `${path} belongs to user id ${user}`
  // The permission bits of a link have no meaning.
  if (isLink || (!isLast && (mode & sticky) !== 0)) return null
  if ((mode & 0o002) !== 0) return `${path} is writable by all users`
  return (mode & 0o020) === 0 ? null : `${path} is writable by group id ${group}`
}
