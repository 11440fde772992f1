/** Calls the witnesses of one server and collects what they say. */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { serverEnvironment } from '../harness/programs.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { within } from '../harness/until.ts'
import { loginWitness, sessionWitness, type Statements, type Summons } from './summons.ts'
import {
  fromColumns,
  type Columns,
  type Heard,
  type LoginWord,
  type SessionWord,
  type Testimony,
} from './testimony.ts'

export type Hearing = {
  /** Has them ask from now on; resolves when each has heard a first answer. */
  readonly begin: (summons: Summons) => Promise<void>
  /** All that was said since it was opened, or since this was asked last. */
  readonly testimony: () => Promise<Testimony>
  readonly close: () => void
}

/** Resolves when the witnesses are ready to ask. */
export const openHearing = async (): Promise<Hearing> => {
  const program = join(repositoryRoot(), '.build/test/truth/witness-process.js')
  const child = fork(program, [], {
    cwd: '/',
    env: serverEnvironment(),
    execArgv: [],
    serialization: 'advanced',
  })
  try {
    await message(child, 'the witnesses')
  } catch (failure) {
    child.kill('SIGKILL')
    throw failure
  }
  return {
    begin: async summons => {
      child.send(summons)
      await message(child, 'the first answers of the witnesses')
    },
    testimony: async () => {
      child.send('hand over')
      return arrange((await message(child, 'the results of the witnesses')) as Statements)
    },
    close: () => void child.kill('SIGKILL'),
  }
}

const arrange = (statements: Statements): Testimony => {
  const said = new Map<string, readonly Heard<string>[]>(
    Array.from(statements, ([name, columns]: [string, Columns]) => [name, fromColumns(columns)]),
  )
  const session = (said.get(sessionWitness) ?? []) as readonly Heard<SessionWord>[]
  const logins = (said.get(loginWitness) ?? []) as readonly Heard<LoginWord>[]
  said.delete(sessionWitness)
  said.delete(loginWitness)
  return { session, logins, probes: said }
}

const message = async (child: ChildProcess, what: string): Promise<unknown> => {
  const gone = new AbortController()
  const answer = Promise.race([
    once(child, 'message', { signal: gone.signal }),
    once(child, 'exit', { signal: gone.signal }).then(() => {
      throw new Error('the witnesses ended early')
    }),
  ])
  try {
    const [word] = (await within(answer, { what })) as [unknown]
    return word
  } finally {
    gone.abort()
  }
}
