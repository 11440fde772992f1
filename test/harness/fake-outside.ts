/** What the program watches, made up: looks find what the test says, and time stands still. */
import type { Evidence } from '../../src/facts/evidence.ts'
import { noMaintenance, type Maintenance } from '../../src/facts/maintenance.ts'
import { fact } from '../../src/facts/outcome.ts'
import type { Accounts } from '../../src/cli/accounts.ts'
import type { LookOptions } from '../../src/cli/option-values.ts'
import type { Outside } from '../../src/cli/outside.ts'
import { noVitalSigns } from '../../src/observe/vital-signs.ts'
import { createManualClock, deferred, settle } from './manual-clock.ts'

export type FakeOutside = {
  readonly outside: Outside
  readonly clock: ReturnType<typeof createManualClock>
  /** Null: the lock file does not stand still. */
  readonly find: (evidence: Evidence | null) => void
  /** What the maintenance file comes to, if one is asked for. */
  readonly maintain: (found: Maintenance) => void
  /** Looks hang until the returned function is called. */
  readonly hang: () => () => void
  /** What probes were opened for. */
  readonly opened: readonly LookOptions[]
  /** Commands that were run, with the role they were told. */
  readonly commands: readonly string[]
  /** Probes and watchers that are still open. */
  readonly open: () => number
}

export const fakeOutside = (first: Evidence | null): FakeOutside => {
  const clock = createManualClock()
  const opened: LookOptions[] = []
  const commands: string[] = []
  let finds = first
  let maintenance = noMaintenance
  let hold: Promise<void> = Promise.resolve()
  let open = 0
  const close = (): void => {
    open -= 1
  }
  return {
    outside: {
      clock: clock.clock,
      readMaintenance: path => Promise.resolve(path === null ? noMaintenance : maintenance),
      openProbe: options => {
        opened.push(options)
        open += 1
        const look = async () => {
          // Like a disk, it takes longer than opening a port does.
          await settle()
          await hold
          return finds && { evidence: finds, vitals: noVitalSigns, controlFileInode: '1:9' }
        }
        return { look, forget: () => undefined, watchFreezer: () => undefined, close }
      },
      openTitles: () => ({ asOfNow: evidence => Promise.resolve(finds ?? evidence) }),
      startShellCommand: (command, { variables, ended }) => {
        commands.push(`${command} ${variables['PG_REPLSTATUS_ROLE']}`)
        const end = (): void => ended({ kind: 'exited', code: 0 })
        queueMicrotask(end)
        return { signal: () => undefined, abandon: () => undefined }
      },
      watch: () => {
        open += 1
        return { aim: () => undefined, state: () => 'armed', close }
      },
      sockets: fact([]),
      notify: null,
    },
    clock,
    find: evidence => {
      finds = evidence
    },
    maintain: found => {
      maintenance = found
    },
    hang: () => {
      const { promise, resolve } = deferred<void>()
      hold = promise
      return () => resolve()
    },
    opened,
    commands,
    open: () => open,
  }
}

/** Lets time pass, a few milliseconds at a time, until the promise is settled. */
export const passTimeUntil = async <Value>(
  promise: Promise<Value>,
  { clock }: Pick<FakeOutside, 'clock'>,
): Promise<Value> => {
  let settled = false
  const done = promise.finally(() => {
    settled = true
  })
  // A failure is the caller's to see, at the end.
  done.catch(() => undefined)
  for (let steps = 0; !settled && steps < 10_000; steps += 1) {
    await settle()
    clock.advance(5)
  }
  return done
}

/** Somebody who is not root, and owns nothing. */
export const noAccounts: Accounts = {
  effectiveUser: () => 1000,
  ownerOf: () => Promise.resolve(null),
  names: () => Promise.resolve(user => (user === 101 ? 'postgres' : `user id ${user}`)),
  become: () => {
    throw new Error('nobody asked for that')
  },
}

export type RootAccounts = Accounts & {
  /** Whom it has become. */
  readonly became: readonly number[]
}

/** Root, where paths belong to these users. */
export const rootAccounts = (owners: Readonly<Record<string, number>>): RootAccounts => {
  const became: number[] = []
  return {
    ...noAccounts,
    effectiveUser: () => 0,
    ownerOf: path => {
      const user = owners[path]
      return Promise.resolve(
        user === undefined ? null : { user, group: user + 1, name: `user${user}` },
      )
    },
    become: ({ user }) => {
      became.push(user)
    },
    became,
  }
}
