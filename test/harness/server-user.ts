/**
 * Who test servers run as. PostgreSQL's programs refuse to run as root, so root has to lend
 * them to somebody else; anybody else runs them as himself.
 */
import { readFileSync } from 'node:fs'

export type ServerUser = { readonly uid: number; readonly gid: number }

/** Ourselves, or for root: postgres where there is one, else nobody. */
export const serverUser = (): ServerUser => {
  const uid = process.getuid?.()
  const gid = process.getgid?.()
  if (uid === undefined || gid === undefined) throw new Error('test servers need a POSIX system')
  if (uid !== 0) return { uid, gid }
  const accounts = readFileSync('/etc/passwd', 'utf8')
  const lent = account(accounts, 'postgres') ?? account(accounts, 'nobody')
  if (lent === null) throw new Error('neither postgres nor nobody in /etc/passwd to run servers as')
  return lent
}

const account = (accounts: string, name: string): ServerUser | null => {
  const line = accounts.split('\n').find(entry => entry.startsWith(`${name}:`))
  if (line === undefined) return null
  const [, , uid, gid] = line.split(':')
  return { uid: Number(uid), gid: Number(gid) }
}
