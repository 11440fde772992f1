/**
 * Starting programs that do not outlive us, however we end: by SIGKILL too, where no exit hook
 * runs, and at any moment.
 *
 * The program begins as a shell that waits for a word from us. By then a second shell has been
 * told its pid; it waits for the end of its standard input, which comes with our death, and ends
 * the program. When the program ends first it is told with a line, and leaves the number alone,
 * which by then may be somebody else's.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable, Writable } from 'node:stream'
import type { ServerUser } from './server-user.ts'

/** Standard output is nobody's; standard error is to be read. */
export type LeashedProgram = ChildProcessByStdio<Writable, null, Readable>

const program = 'read -r go && exec "$@" </dev/null'

const guard = `
exec 2>/dev/null
read -r gone || { kill -TERM "$1"; kill -CONT "$1"; sleep 1; kill -KILL "$1"; }
`

/** Both are detached: Ctrl-C on a terminal is left to whoever started them. */
export const spawnLeashed = (
  command: readonly string[],
  options: { readonly cwd: string; readonly env?: NodeJS.ProcessEnv; readonly user?: ServerUser },
): LeashedProgram => {
  const { cwd, env, user } = options
  const child = spawn('/bin/sh', ['-c', program, 'leashed', ...command], {
    cwd,
    stdio: ['pipe', 'ignore', 'pipe'],
    detached: true,
    ...(env === undefined ? {} : { env }),
    ...user,
  })
  const shell = spawn('/bin/sh', ['-c', guard, 'leash', String(child.pid)], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  shell.unref()
  for (const { stdin } of [child, shell]) stdin.on('error', () => undefined)
  child.once('exit', () => void shell.stdin.end('gone\n'))
  child.stdin.end('go\n')
  return child
}
