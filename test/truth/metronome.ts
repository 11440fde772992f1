/**
 * How long a processor of this machine did not let a witness run: it was busy with others, or its
 * hypervisor kept it. By as much what the witnesses say may be off, and no more.
 */
import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../harness/repository.ts'
import { within } from '../harness/until.ts'

export type Metronome = {
  /** The longest standstill of any processor since it was asked last, in milliseconds. */
  readonly standstillMs: () => Promise<number>
  readonly close: () => void
}

export const openMetronome = async (): Promise<Metronome> => {
  const children = processors().map(startOn)
  await Promise.all(children.map(word))
  return {
    standstillMs: async () => {
      const answers = children.map(word)
      for (const child of children) child.send('how long?')
      return Math.max(...(await Promise.all(answers)).map(Number))
    },
    close: () => {
      for (const child of children) child.kill('SIGKILL')
    },
  }
}

const startOn = (processor: number): ChildProcess => {
  const program = join(repositoryRoot(), '.build/test/truth/metronome-process.js')
  const command = ['-c', String(processor), process.execPath, program]
  return spawn('taskset', command, { cwd: '/', stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
}

const word = async (child: ChildProcess): Promise<unknown> => {
  const [said] = (await within(once(child, 'message'), { what: 'a metronome' })) as [unknown]
  return said
}

/** Those this process may run on, as in `Cpus_allowed_list:	0-1,4`. */
const processors = (): readonly number[] => {
  const status = readFileSync('/proc/self/status', 'latin1')
  const ranges = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1] ?? '0'
  return ranges.split(',').flatMap(range => {
    const [first = 0, last = first] = range.split('-').map(Number)
    return Array.from({ length: last - first + 1 }, (_, index) => first + index)
  })
}
