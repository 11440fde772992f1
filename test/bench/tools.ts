/** The programs in C that measure: no probe may be faster than who asks it. */
import { mkdirSync, renameSync } from 'node:fs'
import { basename, join } from 'node:path'
import { runProgram } from '../harness/programs.ts'
import { repositoryRoot } from '../harness/repository.ts'

export type Tools = { readonly load: string; readonly floor: string; readonly repeat: string }

/** Compiles them. */
export const buildTools = async (): Promise<Tools> => {
  const build = (name: string): Promise<string> => compile(`test/bench/${name}.c`)
  const [load, floor, repeat] = await Promise.all(['load', 'floor', 'repeat'].map(build))
  return { load: load ?? '', floor: floor ?? '', repeat: repeat ?? '' }
}

const compiled = new Map<string, Promise<string>>()

/**
 * The program made of a source in the repository, or with `-shared` the library; made once. Throws
 * how to get a compiler without one.
 */
export const compile = (source: string, options: readonly string[] = []): Promise<string> => {
  const made = compiled.get(source) ?? compileAnew(source, options)
  compiled.set(source, made)
  return made
}

const compileAnew = async (source: string, options: readonly string[]): Promise<string> => {
  const folder = join(repositoryRoot(), '.build/bench')
  mkdirSync(folder, { recursive: true })
  const program = join(folder, basename(source, '.c'))
  // Tests that run at the same time may compile the same.
  const made = `${program}.${process.pid}`
  const strict = ['-O2', '-Wall', '-Wextra', '-Werror', ...options]
  const args = [...strict, '-o', made, join(repositoryRoot(), source)]
  try {
    await runProgram({ program: 'cc', args, cwd: '/' })
  } catch (failure) {
    const isMissing = failure instanceof Error && failure.message.includes('ENOENT')
    throw isMissing ? new Error('no C compiler: apt-get install gcc libc6-dev') : failure
  }
  renameSync(made, program)
  return program
}

/** What load.c and repeat.c print. Microseconds. */
export type Load = {
  readonly answered: number
  readonly lost: number
  /** Slower than half a second. */
  readonly stalled: number
  readonly tookUs: number
  readonly medianUs: number
  readonly p99Us: number
  readonly maxUs: number
  /** Of the programs that were run for it. */
  readonly cpuUs: number
}

const loadMsMax = 120_000

const measured = async (program: string, args: readonly string[]): Promise<Load> => {
  const printed = await runProgram({ program, args, cwd: '/', limitMs: loadMsMax })
  return { stalled: 0, cpuUs: 0, ...(JSON.parse(printed) as Partial<Load>) } as Load
}

export type Asked = {
  readonly port: number
  readonly atOnce: number
  readonly total: number
  /** Sent on each connect, which then ends with the first bytes of the answer. */
  readonly request?: Uint8Array
}

export const askPort = (tools: Tools, { port, atOnce, total, request }: Asked): Promise<Load> => {
  const hex = request === undefined ? [] : [Buffer.from(request).toString('hex')]
  return measured(tools.load, [String(port), String(atOnce), String(total), ...hex])
}

export const runOver = (
  tools: Tools,
  { command, total }: { readonly command: readonly string[]; readonly total: number },
): Promise<Load> => measured(tools.repeat, [String(total), ...command])
