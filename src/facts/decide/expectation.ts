/**
 * What a health check expects of a server (`status --expect`): a role, and to be reachable.
 *
 * A server that listens on its Unix socket alone is not one that a load balancer can send clients
 * to. The postgres image of Docker runs its init scripts on such a server, which it then stops. Its
 * role is reported on the port all the same: a pooler on the same host may reach it by the socket.
 */
import type { Evidence } from './evidence.ts'
import type { Snapshot } from './snapshot.ts'
import { symptomsOf } from './symptoms.ts'
import { answerOf, isWanted, type WantedRole } from './verdict.ts'

/** What is found instead, or null. Without an expectation any role is well, wherever it listens. */
export const unmetExpectation = (
  { evidence, verdict }: Snapshot,
  expected: WantedRole | null,
): string | null => {
  const answer = answerOf(verdict)
  if (!isWanted(answer, expected ?? 'any')) {
    return answer === 'unavailable' ? answer : `${answer}, expected ${expected}`
  }
  if (expected === null || !listensNowhere(evidence)) return null
  return `${answer}, but it listens on no address, only on its Unix socket`
}

/** Line 6 is empty also for a moment while a server starts, but not any more in a complete file. */
const listensNowhere = (evidence: Evidence): boolean =>
  evidence.lockFile.kind === 'present' &&
  evidence.lockFile.fact.listenAddress === '' &&
  symptomsOf(evidence).lockFile === 'complete'
