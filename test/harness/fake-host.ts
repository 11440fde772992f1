/** What the program watches, made up: looks find what the test says, and time stands still. */
import type { Evidence } from '../../src/facts/decide/evidence.ts'
import { noMaintenance, type Maintenance } from '../../src/facts/decide/maintenance-mode.ts'
import { fact, fault, type Outcome } from '../../src/facts/outcome.ts'
import type { LocalDaemon } from '../../src/facts/report/daemon-view.ts'
import type { ClusterView } from '../../src/facts/report/cluster-view.ts'
import type { Account, Accounts } from '../../src/cli/system/accounts.ts'
import type { ReadCredentials } from '../../src/cli/system/credential-files.ts'
import type { CheckOptions } from '../../src/cli/options/option-values.ts'
import type { Host } from '../../src/cli/system/host.ts'
import type { PeerAnswer } from '../../src/observe/peers/peer-request.ts'
import { noVitalSigns } from '../../src/observe/processes/liveness.ts'
import { createManualClock, deferred, settle } from './manual-clock.ts'
import { systemFailure } from './system-failure.ts'

export type FakeHost = {
  readonly host: Host
  readonly clock: ReturnType<typeof createManualClock>
  /** Null: the lock file does not stand still. */
  readonly find: (evidence: Evidence | null) => void
  /** What the maintenance file comes to, if one is asked for. */
  readonly maintain: (found: Maintenance) => void
  /** The daemon that is found on this host; none at first. */
  readonly runDaemon: (found: LocalDaemon) => void
  /** Answers all questions to peers that are open. */
  readonly answerAsPeers: (answer: PeerAnswer) => void
  /** The answer to the next question for the cluster. Without one it is not answered. */
  readonly giveCluster: (answer: Outcome<ClusterView, string>) => void
  /** Peers that were asked, each with our certificate. */
  readonly asked: readonly string[]
  /** What the limit of descriptors is read as from now on; it can't be read at first. */
  readonly limitDescriptors: (to: number | null) => void
  /** Looks fail for want of what this error code of the system says; null ends that. */
  readonly lack: (code: string | null) => void
  /** What the files for TLS are read as from now on; a fault at first. */
  readonly giveCredentials: (found: Awaited<ReturnType<ReadCredentials>>) => void
  /** Looks hang until the returned function is called. */
  readonly hang: () => () => void
  /** What probes were opened for. */
  readonly opened: readonly CheckOptions[]
  /** Commands that were run, with the role they were told. */
  readonly commands: readonly string[]
  /** Probes and watchers that are still open. */
  readonly open: () => number
}

/** The one that others can write. */
export const openFolder = '/open'

export const fakeHost = (first: Evidence | null): FakeHost => {
  const clock = createManualClock()
  const opened: CheckOptions[] = []
  const commands: string[] = []
  let finds = first
  const asked: string[] = []
  const clusterAnswers: Outcome<ClusterView, string>[] = []
  const questions: ((answer: PeerAnswer) => void)[] = []
  let maintenance = noMaintenance
  let daemon: LocalDaemon | null = null
  let limit: number | null = null
  let lacking: string | null = null
  let credentials: Awaited<ReturnType<ReadCredentials>> = fault({ message: 'none', hint: 'none' })
  let hold: Promise<void> = Promise.resolve()
  let open = 0
  const close = (): void => {
    open -= 1
  }
  return {
    host: {
      clock: clock.clock,
      name: 'db1',
      readDescriptorLimit: () => Promise.resolve(limit),
      whoElseWrites: folder =>
        Promise.resolve(folder === openFolder ? `${folder} is writable by all users` : null),
      readCredentials: () => Promise.resolve(credentials),
      findOwnNames: () => Promise.resolve([]),
      readMaintenance: path => Promise.resolve(path === null ? noMaintenance : maintenance),
      openProbe: options => {
        opened.push(options)
        open += 1
        const look = async () => {
          // Like a disk, it takes longer than opening a port does.
          await settle()
          await hold
          if (lacking !== null) throw systemFailure(lacking)
          return finds && { evidence: finds, vitals: noVitalSigns, controlFileInode: '1:9' }
        }
        return { look, watchFreezer: () => undefined, close }
      },
      openTitles: () => ({ asOfNow: evidence => Promise.resolve(finds ?? evidence) }),
      newInstance: () => 'own',
      openWalPositions: () => ({ asOfNow: ({ walPosition }) => Promise.resolve(walPosition) }),
      openPeerClient: tls => peer => {
        asked.push(`${peer.text} ${tls()?.cert ?? 'without certificate'}`)
        const { promise, resolve } = deferred<PeerAnswer>()
        questions.push(resolve)
        return { answer: promise, cancel: () => resolve(fault('canceled')) }
      },
      findDaemon: () => Promise.resolve(daemon),
      openHistoryClient: () => () => ({
        answer: Promise.resolve(fault('ECONNREFUSED')),
        cancel: () => undefined,
      }),
      openClusterClient: () => peer => {
        asked.push(peer.text)
        const { promise, resolve } = deferred<Outcome<ClusterView, string>>()
        const answer = clusterAnswers.shift()
        if (answer !== undefined) resolve(answer)
        return { answer: promise, cancel: () => resolve(fault('canceled')) }
      },
      startShellCommand: (command, { variables, ended }) => {
        commands.push(`${command} ${variables['PG_REPLSTATUS_ROLE']}`)
        const end = (): void => ended({ kind: 'exited', code: 0 })
        queueMicrotask(end)
        return { signal: () => undefined, abandon: () => undefined }
      },
      watch: () => {
        open += 1
        return { aim: () => undefined, close }
      },
      sockets: fact([]),
      notify: null,
    },
    clock,
    find: evidence => {
      finds = evidence
    },
    runDaemon: found => {
      daemon = found
    },
    maintain: found => {
      maintenance = found
    },
    answerAsPeers: answer => {
      for (const resolve of questions.splice(0)) resolve(answer)
    },
    giveCluster: answer => {
      clusterAnswers.push(answer)
    },
    asked,
    lack: code => {
      lacking = code
    },
    limitDescriptors: to => {
      limit = to
    },
    giveCredentials: found => {
      credentials = found
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
  { clock }: Pick<FakeHost, 'clock'>,
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
  partsOf: () => Promise.resolve({ parts: [], end: null }),
  byName: name => Promise.resolve(name === 'postgres' ? accountOf(101, 102, name) : null),
  byNumber: (user, group) => Promise.resolve(accountOf(user, group, `user${user}`)),
  names: () => Promise.resolve(user => (user === 101 ? 'postgres' : `user id ${user}`)),
  become: () => {
    throw new Error('nobody asked for that')
  },
}

export type RootAccounts = Accounts & {
  /** Whom it has become. */
  readonly became: readonly number[]
}

const accountOf = (user: number, group: number, name: string): Account => {
  return { user, group, name, home: `/home/${name}`, shell: '/bin/sh' }
}

/** Root, where paths belong to these users; folders above them that are not named are root's. */
export const rootAccounts = (owners: Readonly<Record<string, number>>): RootAccounts => {
  const became: number[] = []
  const paths = ['/', ...Object.keys(owners)]
  const exists = (path: string): boolean => paths.some(one => `${one}/`.startsWith(`${path}/`))
  return {
    ...noAccounts,
    effectiveUser: () => became.at(-1) ?? 0,
    partsOf: path => {
      const names = path.split('/').filter(name => name !== '')
      const all = ['/', ...names.map((_, at) => `/${names.slice(0, at + 1).join('/')}`)]
      const seen = all.filter(exists)
      const parts = seen.map(part => {
        const user = owners[part] ?? 0
        const group = user === 0 ? 0 : user + 1
        return { path: part, user, group, isLink: false, mode: 0o755 }
      })
      return Promise.resolve({ parts, end: seen.length === all.length ? null : 'ENOENT' })
    },
    become: ({ user }) => {
      became.push(user)
    },
    became,
  }
}
