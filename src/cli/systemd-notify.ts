/**
 * Telling systemd that we are ready, or not for a while, and how we are. It listens on a datagram
 * socket, which Node does not have, so that its own program says it for us.
 */
import { execFile, type ExecFileException } from 'node:child_process'
import type { Environment } from './settings.ts'

/** `status` is one line without control characters. */
export type Notice =
  { readonly kind: 'ready'; readonly status: string } | { readonly kind: 'reloading' }

/** Resolves to null when it has been told, else to what was against it. Never rejects. */
export type Notify = (notice: Notice) => Promise<string | null>

/** It waits for up to 5 s until systemd has read what it says. */
const runMsMax = 6000

/** Null when systemd does not want to know. */
export const systemdNotify = (
  environment: Environment,
  pid: number,
  limitMs = runMsMax,
): Notify | null => {
  const socket = environment['NOTIFY_SOCKET'] ?? ''
  if (socket === '') return null
  const options = {
    env: { PATH: environment['PATH'] ?? '/usr/bin:/bin', NOTIFY_SOCKET: socket },
    timeout: limitMs,
    killSignal: 'SIGKILL',
  } as const
  return notice =>
    new Promise(resolve => {
      const args = [`--pid=${pid}`, ...argumentsOf(notice)]
      try {
        execFile('systemd-notify', args, options, (error, _, stderr) => {
          resolve(error === null ? null : stderr.trim() || failureOf(error, limitMs))
        })
      } catch (error) {
        // What the system has against another process is thrown, as is what we did wrong.
        resolve(String(error))
      }
    })
}

/** Without what it was to say, which is in the log already. */
const failureOf = ({ killed, code, signal }: ExecFileException, limitMs: number): string => {
  if (killed === true) return `systemd-notify did not end within ${limitMs} ms`
  if (typeof code === 'string') return `could not run systemd-notify: ${code}`
  return `systemd-notify failed with ${signal ?? `exit code ${code}`}`
}

/** By the time systemd can tell whether this is the reload that it has asked for. */
const argumentsOf = (notice: Notice): readonly string[] =>
  notice.kind === 'ready'
    ? ['--ready', `--status=${notice.status}`]
    : ['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]
