/**
 * Sockets that systemd opened for us and passes on (socket activation): descriptors from 3 on, as
 * sd_listen_fds(3) has it. Their queue outlives us, so that no connect is refused meanwhile.
 */
import { fact, fault, type Outcome } from '../facts/outcome.ts'
import { whole } from './forms.ts'
import type { OperatorError } from './operator-error.ts'
import type { Environment } from './settings.ts'

const first = 3
const countMax = 64

/** Empty when there are none for the process of this pid: children inherit the variables too. */
export const passedSockets = (
  environment: Environment,
  pid: number,
): Outcome<readonly number[], OperatorError> => {
  if (environment['LISTEN_PID'] !== String(pid)) return fact([])
  const text = environment['LISTEN_FDS'] ?? ''
  const { wanted, read } = whole(0, countMax)
  const count = read(text)
  return count === null
    ? fault({
        message: `LISTEN_FDS is ${JSON.stringify(text)}, wanted ${wanted}`,
        hint: 'whoever sets LISTEN_PID passes sockets as systemd does, see sd_listen_fds(3)',
      })
    : fact(Array.from({ length: count }, (_, index) => first + index))
}
