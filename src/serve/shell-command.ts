/**
 * A command of the operator's, run by the shell in a process group of its own.
 *
 * It has ended when its output has: a child that it leaves behind and that still holds the output
 * is part of it. One that has let go of it is nobody's business.
 */
import { spawn, type ChildProcessByStdio } from 'node:child_process'
import type { Readable } from 'node:stream'

export type CommandEnd =
  | { readonly kind: 'exited'; readonly code: number }
  | { readonly kind: 'killed'; readonly signal: string }
  /** `code` is the system's. */
  | { readonly kind: 'not started'; readonly code: string }
  /** It holds its output open after all; nobody listens to it any more. */
  | { readonly kind: 'abandoned' }

export type ShellCommand = {
  /** To the whole process group; harmless when that is gone. */
  readonly signal: (name: 'SIGTERM' | 'SIGKILL') => void
  readonly abandon: () => void
}

/** `line` hears its output, `ended` is called once and never before this returns. */
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
  (environment: Readonly<Record<string, string | undefined>>): StartShellCommand =>
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
    const child = attempt(command, { ...environment, ...variables })
    if (child instanceof Error) {
      queueMicrotask(() => {
        notStarted(child)
      })
      return { signal: () => {}, abandon: () => {} }
    }
    const outputs = [child.stdout, child.stderr]
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
          // Nobody is left of it.
        }
      },
      abandon: () => {
        for (const output of outputs) output.destroy()
        end({ kind: 'abandoned' })
      },
    }
  }

type Child = ChildProcessByStdio<null, Readable, Readable>

/** Most of what can go wrong comes as an event; the lack of memory, for one, does not. */
const attempt = (
  command: string,
  env: Readonly<Record<string, string | undefined>>,
): Child | NodeJS.ErrnoException => {
  try {
    return spawn('/bin/sh', ['-c', command], {
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
  } catch (error) {
    return error as NodeJS.ErrnoException
  }
}

/** What is longer says nothing more to a person. */
const lineLengthMax = 500

/** Tells lines without line ends, cut where they are too long. */
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
  // A pipe that breaks has nothing more to say.
  output.on('error', () => {})
}
