/**
 * No program that we start outlives us, however we end: by SIGKILL too, where no exit hook runs.
 *
 * A small shell waits for the end of its standard input, which comes with our death; then it ends
 * the program. When the program ends first, the shell is told with a line and leaves the number
 * alone, which by then may be somebody else's.
 */
import { spawn, type ChildProcess } from 'node:child_process'

const script = `
exec 2>/dev/null
read -r gone || { kill -TERM "$1"; kill -CONT "$1"; sleep 1; kill -KILL "$1"; }
`

/** To be called right after the program has been spawned. */
export const leash = (child: ChildProcess): void => {
  if (child.pid === undefined) return
  // Detached, or Ctrl-C would end the shell before its time.
  const shell = spawn('/bin/sh', ['-c', script, 'leash', String(child.pid)], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  shell.unref()
  shell.stdin.on('error', () => undefined)
  child.once('exit', () => void shell.stdin.end('gone\n'))
}
