/**
 * Runs a command of the operator with the shell, in a process group of its own.
 *
 * The command has ended when its output is closed. A child process that it leaves running counts as
 * part of it as long as it has the output open.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import type { Readable } from 'node:stream'

export type CommandEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string }
  /** `code` is the error code of the system. */
  | { readonly kind: 'not started'; readonly code: string }
  /** Its output is still open, and no longer read. */
  | { readonly kind: 'abandoned' }

export type ShellCommand = {
  /** Sends a signal to the process group. Does nothing if that no longer exists. */
  readonly signal: (name: 'SIGTERM' | 'SIGKILL') => void
  readonly abandon: () => void
}

/** `line` is called with its output; `ended` is called once, and not before this returns. */
export type StartShellCommand = (
  command: string,
  needs: {
    /** Added to the environment. */
    readonly variables: Readonly<Record<string, string>>
    readonly line: (text: string) => void
    readonly ended: (end: CommandEnd) => void
  },
) => ShellCommand

export const createShell =
  (
    environment: Readonly<Record<string, string | undefined>>,
    scorePath = '/proc/self/oom_score_adj',
  ): StartShellCommand =>
  (command, { variables, line, ended }) => {
    let over = false
    const end = (how: CommandEnd): void => {
      if (over) return
      over = true
      ended(how)
    }
    const notStarted = (error: NodeJS.ErrnoException): void => {
      end({ kind: 'not started', code: String(error.code) })
    }
    const child = attempt([command, scorePath], { ...environment, ...variables })
    if (child instanceof Error) {
      queueMicrotask(() => {
        notStarted(child)
      })
      return { signal: () => {}, abandon: () => {} }
    }
    // At the limit of descriptors (EMFILE) there are none, unlike the types suggest. The error is
    // an event.
    const outputs = [child.stdout, child.stderr].flatMap(output => output ?? [])
    for (const output of outputs) readLines(output, line)
    child.on('error', notStarted)
    child.on('close', (code, signal) => {
      end(signal === null ? { kind: 'exited', code: Number(code) } : { kind: 'killed', signal })
    })
    const { pid } = child
    return {
      signal: name => {
        if (pid === undefined || over) return
        try {
          process.kill(-pid, name)
        } catch {
          // The process group no longer exists.
        }
      },
      abandon: () => {
        for (const output of outputs) output.destroy()
        end({ kind: 'abandoned' })
      },
    }
  }

/**
 * The unit protects the daemon from being killed when memory runs out (OOMScoreAdjust), and a child
 * process inherits that. This resets the value for the command, so that it is killed first. Raising
 * the value is always permitted (proc(5)). The command keeps its variables and its PID.
 */
const start = [
  'case $(read -r score <"$2" && echo "$score") in',
  '-*) echo 0 >"$2"',
  'esac 2>/dev/null; exec /bin/sh -c "$1"',
].join('\n')

/** Most errors are events. Some, such as a lack of memory, are thrown. */
const attempt = (
  words: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): ChildProcess | NodeJS.ErrnoException => {
  try {
    return spawn('/bin/sh', ['-c', start, 'sh', ...words], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
  } catch (error) {
    return error as NodeJS.ErrnoException
  }
}

/** Longer lines are cut in the log. */
const lineLengthMax = 500

/** Calls `tell` with each line, without the line end, and cut if it is too long. */
const readLines = (output: Readable, tell: (line: string) => void): void => {
  let line = ''
  output.setEncoding('utf8')
  output.on('data', (text: string) => {
    const [first = '', ...rest] = text.split('\n')
    line = (line + first).slice(0, lineLengthMax)
    for (const next of rest) {
      tell(line)
      line = next.slice(0, lineLengthMax)
    }
  })
  output.on('end', () => {
    if (line !== '') tell(line)
  })
  // After an error there is no more output.
  output.on('error', () => {})
}
