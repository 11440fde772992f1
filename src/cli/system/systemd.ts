/**
 * The interfaces of systemd: sockets that it passes (sd_listen_fds(3)), and the state of the
 * service that it is notified of (sd_notify(3)).
 */
import { execFile, type ExecFileException } from 'node:child_process'
import { quoteText } from '../../facts/visible-text.ts'
import { fact, fault, type Outcome } from '../../facts/outcome.ts'
import { whole } from '../options/option-forms.ts'
import type { OperatorError } from '../output/operator-error.ts'
import type { Environment } from '../options/settings.ts'

const firstDescriptor = 3
const socketsMax = 64

/**
 * Descriptors of the passed sockets. Empty if they are for a process with another PID: children
 * inherit the variables.
 */
export const passedSockets = (
  environment: Environment,
  pid: number,
): Outcome<readonly number[], OperatorError> => {
  if (environment['LISTEN_PID'] !== String(pid)) return fact([])
  const text = environment['LISTEN_FDS'] ?? ''
  const { expected, read } = whole(0, socketsMax)
  const count = read(text)
  return count === null
    ? fault({
        message: `LISTEN_FDS must be ${expected}, but is ${quoteText(text)}`,
        hint: 'with LISTEN_PID, sockets must be passed as described in sd_listen_fds(3)',
      })
    : fact(Array.from({ length: count }, (_, index) => firstDescriptor + index))
}

/** `statusLine` is one line without control characters. */
export type Notification =
  { readonly kind: 'ready'; readonly statusLine: string } | { readonly kind: 'reloading' }

/** Resolves to null after success, else to the reason. Never rejects. */
export type Notify = (notification: Notification) => Promise<string | null>

/** systemd-notify itself waits for up to 5 s until systemd has read the message. */
const runMsMax = 6000

/**
 * Runs systemd-notify, because Node.js has no datagram sockets with a path. Null if systemd does
 * not wait for notifications.
 */
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
  return notification =>
    new Promise(resolve => {
      const args = [`--pid=${pid}`, ...argumentsOf(notification)]
      try {
        execFile('systemd-notify', args, options, (error, _, stderr) => {
          resolve(error === null ? null : stderr.trim() || failureOf(error, limitMs))
        })
      } catch (error) {
        // Some errors of the system are thrown, and invalid arguments are.
        resolve(String(error))
      }
    })
}

/** Without the arguments: the log has their content already. */
const failureOf = ({ killed, code, signal }: ExecFileException, limitMs: number): string => {
  if (killed === true) return `systemd-notify did not end within ${limitMs} ms`
  if (typeof code === 'string') return `could not run systemd-notify: ${code}`
  return `systemd-notify failed with ${signal ?? `exit code ${code}`}`
}

/** With the time, systemd knows whether this is the reload that it has requested. */
const argumentsOf = (notification: Notification): readonly string[] =>
  notification.kind === 'ready'
    ? ['--ready', `--status=${notification.statusLine}`]
    : ['RELOADING=1', `MONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`]
