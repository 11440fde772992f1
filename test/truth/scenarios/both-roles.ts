/** What is done to a primary as well as to a standby. */
import type { Scenario } from '../scenario.ts'

type InRole = Pick<Scenario, 'begin'> & {
  readonly role: 'primary' | 'standby'
  /** What a probe has to say of it. */
  readonly word: string
}

const roles: readonly InRole[] = [
  { role: 'primary', word: 'MASTER', begin: arena => arena.primary() },
  { role: 'standby', word: 'STANDBY', begin: arena => arena.standby() },
]

export const forBothRoles = (make: (of: InRole) => Scenario): readonly Scenario[] => roles.map(make)
