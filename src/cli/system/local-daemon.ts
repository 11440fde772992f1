/**
 * Finds the daemon of this host that watches a data directory. Its units open a Unix socket for
 * that in a folder that only root and the account of the daemon can write.
 */
import { lstat, readdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { DaemonView, LocalDaemon } from '../../facts/report/daemon-view.ts'
import type { Ask, Peer } from '../../observe/peers/peer-request.ts'

/** See RuntimeDirectory= in fixtures/systemd. */
export const socketFolder = '/run/pg-replstatus'
/** A daemon answers in milliseconds. */
const timeoutMs = 500
/** Of sockets; a host has a few dozen clusters at most. */
const socketsMax = 128

/** Null if there is none, or if it does not answer. Never rejects. */
export const findDaemon = async (
  directory: string,
  {
    ask,
    user,
    folder = socketFolder,
  }: {
    readonly ask: Ask<DaemonView>
    /** Sockets of others than this user and root are not asked. */
    readonly user: number
    readonly folder?: string
  },
): Promise<LocalDaemon | null> => {
  const sockets = await findSockets(folder, user)
  if (sockets.length === 0) return null
  const wanted = await realPath(directory)
  const askAt = async (socket: string): Promise<LocalDaemon | null> => {
    const answer = await ask(socketPeer(socket), timeoutMs).answer
    if (!answer.ok) return null
    const isSame = (await realPath(answer.fact.directory)) === wanted
    return isSame ? { ...answer.fact, socket } : null
  }
  const found = await Promise.all(sockets.map(askAt))
  return found.find(daemon => daemon !== null) ?? null
}

/** To be asked at a socket. */
export const socketPeer = (socket: string): Peer => ({
  text: socket,
  secure: false,
  host: 'localhost',
  port: 0,
  socketPath: socket,
})

/** `NAME.sock`, and `http.sock` or the like in a folder of an instance. */
const findSockets = async (folder: string, user: number): Promise<readonly string[]> => {
  const entries = await listFolder(folder)
  const inside = await Promise.all(entries.map(listFolder))
  const paths = [...entries, ...inside.flat()].filter(path => path.endsWith('.sock'))
  const checks = paths.slice(0, socketsMax).map(async path => {
    const status = await lstat(path).catch(() => null)
    return status?.isSocket() === true && [0, user].includes(status.uid) ? path : null
  })
  return (await Promise.all(checks)).filter(path => path !== null)
}

/** None for what is no folder. */
const listFolder = async (folder: string): Promise<readonly string[]> => {
  const names = await readdir(folder).catch(() => [])
  return names.map(name => join(folder, name))
}

/** A path that does not exist stays as it is. */
const realPath = (path: string): Promise<string> => realpath(path).catch(() => path)
