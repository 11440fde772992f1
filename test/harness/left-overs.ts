/**
 * Folders whose names tell which process of which user made them: the next run of the same user
 * removes those of runs that were killed, and no others.
 *
 * The name is there as soon as the folder is, unlike a file in it, and needs no lock, for which
 * Node has no call. Pid and start time name one process for ever, in one namespace of pids: a
 * container that shares the folder above has another.
 */
import { spawnSync } from 'node:child_process'
import { lstatSync, mkdtempSync, readFileSync, readdirSync, readlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serverEnvironment } from './programs.ts'
import { isInUse, runningProcess } from './running.ts'
import { serverUser } from './server-user.ts'

const namespace = /\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? '0'

/** To be followed by six letters that no other folder has. */
export const ownedPrefix = (prefix: string): string => {
  const started = runningProcess(process.pid)?.started ?? 0
  return `${prefix}run-${process.getuid?.()}-${namespace}-${process.pid}-${started}-`
}

const ownerPattern = /run-(\d+)-(\d+)-(\d+)-(\d+)-\w{6}$/

/** Null if that cannot be known from here. */
const ownerRuns = (name: string): boolean | null => {
  const [, uid, where, pid, started] = ownerPattern.exec(name) ?? []
  if (Number(uid) !== process.getuid?.() || where !== namespace) return null
  return runningProcess(Number(pid))?.started === Number(started)
}

/** Root makes folders for the user of its servers. */
const isOurs = (uid: number): boolean => uid === process.getuid?.() || uid === serverUser().uid

/** What is mounted there is not for us to remove. */
const isMountedBelow = (folder: string): boolean => {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8')
  const place = folder.replaceAll(' ', String.raw`\040`)
  return mounts.includes(` ${place} `) || mounts.includes(` ${place}/`)
}

type Place = {
  readonly parent: string
  /** How the names of all such folders begin. */
  readonly prefix: string
  /** No folder is in use for longer: older ones are removed even if the owner is not known. */
  readonly ageLimitMs?: number
}

/** Removes what the owner has left; what others work in or own stays. */
export const removeLeftOvers = ({ parent, prefix, ageLimitMs = Infinity }: Place): void => {
  const isLeftOver = (name: string): boolean => {
    const folder = join(parent, name)
    const seen = lstatSync(folder, { throwIfNoEntry: false })
    if (seen === undefined || !seen.isDirectory() || !isOurs(seen.uid)) return false
    const runs = ownerRuns(name) ?? Date.now() - seen.mtimeMs < ageLimitMs
    return !runs && !isInUse(folder) && !isMountedBelow(folder)
  }
  const names = readdirSync(parent).filter(name => name.startsWith(prefix))
  const leftOver = names.filter(isLeftOver).map(name => join(parent, name))
  if (leftOver.length === 0) return
  // Not Node's own: that follows a link which is put in the place of a folder meanwhile.
  spawnSync('rm', ['-rf', '--', ...leftOver], { cwd: '/', env: serverEnvironment() })
}

const prefix = 'pg-replstatus-'
let cleared = false

/** Of runs that were killed, for which nothing else removes them. */
export const clearTemporary = (): void => {
  if (!cleared) removeLeftOvers({ parent: tmpdir(), prefix })
  cleared = true
}

/** An empty folder of ours. */
export const temporaryFolder = (): string => {
  clearTemporary()
  return mkdtempSync(join(tmpdir(), ownedPrefix(prefix)))
}
