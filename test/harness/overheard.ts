/** A program of the system on a leash, and what it says on standard error. */
import { spawnLeashed, type LeashedProgram } from './leash.ts'
import { toolEnvironment } from './programs.ts'

export type OverheardProgram = {
  readonly child: LeashedProgram
  readonly said: () => string
  /** Its exit code; null if a signal ended it. */
  readonly ended: Promise<number | null>
}

export const spawnOverheard = (command: readonly string[], cwd: string): OverheardProgram => {
  const child = spawnLeashed(command, { cwd, env: { ...toolEnvironment(), LC_ALL: 'C' } })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said += chunk.toString()
  })
  const ended = new Promise<number | null>(resolve => void child.once('close', resolve))
  return { child, said: () => said, ended }
}
