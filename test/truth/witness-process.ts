/**
 * The witnesses, together in a process of their own: each asks as fast as it can and keeps what it
 * hears until it is asked to hand it over.
 *
 * One process for all, and nice to everybody else: on a machine with two processors a crowd of
 * busy witnesses would measure how they keep the server and the probes from running.
 *
 *   node witness-process.js, told by a first message whom to ask
 */
import { setPriority } from 'node:os'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { askFiles, askProbe, createSessionQuestion, tryLogin, type Question } from './questions.ts'
import { filesWitness, loginWitness, sessionWitness } from './summons.ts'
import type { Statements, Summons } from './summons.ts'
import { niceness, now, toColumns, type Heard } from './testimony.ts'

/**
 * A login costs the server a fork, and a session that breaks tells of a crash sooner anyway; of a
 * login that is refused the end is of interest. The bare files are there at any time.
 */
const restMs = (name: string, said: string): number => {
  if (name === filesWitness || said === 'refused') return 1
  return name === loginWitness ? 4 : 0
}

type Witness = {
  readonly name: string
  readonly question: Question
  heard: Heard<string>[]
}

const witnessesFor = ({ server, probes, files }: Summons): readonly Witness[] => {
  const questions: (readonly [string, Question])[] = [
    [sessionWitness, createSessionQuestion(server)],
    [loginWitness, () => tryLogin(server)],
    ...probes.map(([name, port]) => [name, () => askProbe(port)] as const),
    ...(files === null ? [] : [[filesWitness, () => askFiles(files)] as const]),
  ]
  return questions.map(([name, question]) => ({ name, question, heard: [] }))
}

const testify = async (witness: Witness): Promise<string> => {
  const askedAt = now()
  const said = await witness.question()
  witness.heard.push({ askedAt, heardAt: now(), said })
  return said
}

const handOver = (witnesses: readonly Witness[]): Statements => {
  const statements = new Map(witnesses.map(({ name, heard }) => [name, toColumns(heard)]))
  for (const witness of witnesses) witness.heard = []
  return statements
}

const keepAsking = async (witness: Witness): Promise<never> => {
  for (;;) {
    const said = await testify(witness)
    const ms = restMs(witness.name, said)
    // The turn is for messages and timers.
    await (ms > 0 ? sleep(ms) : turn())
  }
}

const begin = async (summons: Summons): Promise<void> => {
  const witnesses = witnessesFor(summons)
  await Promise.all(witnesses.map(testify))
  process.on('message', () => process.send?.(handOver(witnesses)))
  process.send?.('listening')
  await Promise.race(witnesses.map(keepAsking))
}

setPriority(niceness)
process.once('message', (summons: Summons) => void begin(summons))
process.once('disconnect', () => process.exit())
process.send?.('ready')
