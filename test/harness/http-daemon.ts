/** A daemon that answers HTTP as well. */
import type { Test } from 'tap'
import { startDaemon, type Daemon } from './daemon.ts'
import { freePort } from './free-port.ts'

/** `http` is the port. */
export type HttpDaemon = { readonly daemon: Daemon; readonly http: number }

const onLoopback = (http: number): readonly string[] => ['--http', `127.0.0.1:${http}`]

/** Options for HTTP on this port, and peers that answer on those. */
export const peerArgs = (http: number, peers: readonly number[]): readonly string[] => [
  ...onLoopback(http),
  ...peers.flatMap(peer => ['--peer', `127.0.0.1:${peer}`]),
]

/** Listens on that port, too. */
export const openHttpDaemon = async (
  dataDirectory: string,
  argsFor: (http: number) => readonly string[] = onLoopback,
): Promise<HttpDaemon> => {
  const http = await freePort()
  const daemon = await startDaemon({ dataDirectory, args: argsFor(http) })
  await daemon.said(new RegExp(`listening .*port=${http}\\b`))
  return { daemon, http }
}

/** The same until the test ends. */
export const startHttpDaemon = async (
  t: Test,
  ...how: Parameters<typeof openHttpDaemon>
): Promise<HttpDaemon> => {
  const opened = await openHttpDaemon(...how)
  t.teardown(opened.daemon.stop)
  return opened
}
