/**
 * Finds what another user has left in a checkout, usually root after a build with sudo. Loaded by
 * prepare.js, and therefore uses only Node's own modules.
 */
import { lstatSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

/**
 * The first path that belongs to somebody else, the folder itself first.
 *
 * @param {string} path
 * @param {number} uid
 * @returns {{ path: string, uid: number } | null}
 */
const foreignBelow = (path, uid) => {
  const seen = lstatSync(path, { throwIfNoEntry: false })
  if (seen === undefined) return null
  if (seen.uid !== uid) return { path, uid: seen.uid }
  if (!seen.isDirectory()) return null
  for (const name of readdirSync(path)) {
    const found = foreignBelow(join(path, name), uid)
    if (found !== null) return found
  }
  return null
}

/**
 * @param {number} uid
 * @returns {string}
 */
const nameOf = uid => {
  // Other directories of users are known to the C library alone.
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  const line = lines.find(entry => entry.split(':')[2] === String(uid))
  return line?.split(':')[0] ?? `user id ${uid}`
}

/** @param {string} path */
const quoted = path => `'${path.replaceAll("'", String.raw`'\''`)}'`

/**
 * What to do about it, in one line; null if everything belongs to this user.
 *
 * @param {string} root the checkout
 * @param {string[]} folders in it, which can be built again
 * @returns {string | null}
 */
export const adviceOnOwners = (root, folders) => {
  const uid = process.getuid?.() ?? 0
  const owner = lstatSync(root).uid
  if (owner !== uid) {
    const what = `could not write to ${root}, which belongs to ${nameOf(owner)}`
    return `${what}: run this as that user, or in a clone of your own`
  }
  for (const folder of folders.map(name => join(root, name))) {
    const found = foreignBelow(folder, uid)
    if (found === null) continue
    const what = `could not replace ${found.path}, which belongs to ${nameOf(found.uid)}`
    const place = quoted(folder)
    return `${what}: run sudo chown -R ${uid} ${place}, or sudo rm -rf ${place}, and try again`
  }
  return null
}
