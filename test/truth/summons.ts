/** Whom the witnesses are to ask, and what they hand over. */
import type { Columns } from './testimony.ts'

export type Summons = {
  /** Port of the server. */
  readonly server: number
  /** Names and ports. */
  readonly probes: readonly (readonly [name: string, port: number])[]
  /** Data directory for the rule that looks at files alone; null for nobody who follows it. */
  readonly files: string | null
}

/** By the name of the witness. */
export type Statements = ReadonlyMap<string, Columns>

export const sessionWitness = 'session'
export const loginWitness = 'logins'
export const filesWitness = 'files alone'
