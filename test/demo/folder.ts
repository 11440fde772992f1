/**
 * The folder of one demo, gone when the demo is gone, however it ended. Servers in it have guards
 * of their own, which end them and remove what is theirs; this one comes last.
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { makeFolder } from '../harness/cluster-files.ts'
import { clearTemporary, ownedPrefix } from '../harness/left-overs.ts'
import { serverUser } from '../harness/server-user.ts'
import { within } from '../harness/until.ts'

export type Folder = {
  readonly path: string
  /** A data directory in it, whose shared memory must not be left behind either. */
  readonly owns: (dataDirectory: string) => void
  /** Waits until it is gone. */
  readonly remove: () => Promise<void>
}

/**
 * A server that is killed, or an initdb that is interrupted, leaves a segment of 56 bytes behind
 * (PGShmemHeader). Since 13 its key is the inode of the data directory.
 */
const script = `
exec 2>/dev/null
inodes=" $(tr '\\n' ' ')"
tries=0
while ls -d "$1"/s[0-9] >/dev/null && [ "$tries" -lt 200 ]; do
  sleep 0.03; tries=$((tries + 1))
done
rm -rf "$1" || { sleep 1; rm -rf "$1"; }
awk -v inodes="$inodes" 'index(inodes, " " $1 " ") && $4 == 56 && $7 == 0 { print $2 }' \\
  /proc/sysvipc/shm | while read -r unused; do ipcrm -m "$unused"; done
`

export const createFolder = async (): Promise<Folder> => {
  clearTemporary()
  const path = join(
    tmpdir(),
    `${ownedPrefix('pg-replstatus-demo-')}${randomBytes(3).toString('hex')}`,
  )
  // Guarded before it is there, so that no moment is left in which it could stay behind. Detached,
  // or Ctrl-C would end the guard together with what it guards against.
  const guard = spawn('/bin/sh', ['-c', script, 'folder', path], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  const gone = once(guard, 'exit')
  guard.unref()
  guard.stdin.on('error', () => undefined)
  const remove = async (): Promise<void> => {
    guard.ref()
    guard.stdin.end()
    await within(gone, { what: `${path} to be removed` })
  }
  const owns = (dataDirectory: string): void => {
    guard.stdin.write(`${statSync(dataDirectory).ino}\n`)
  }
  await makeFolder(serverUser(), path)
  return { path, owns, remove }
}
