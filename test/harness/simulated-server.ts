/**
 * A server made up of what it leaves in its files and in /proc, and of what its clients get. It
 * lives in small steps (server-lives.ts), each of which somebody may see alone.
 *
 * Files are stamped to 4 ms and processes to 10 ms, as on Linux.
 */
import type { ClusterState } from '../../src/facts/decode/control-file.ts'
import type { PostmasterStatus } from '../../src/facts/decode/lock-file.ts'
import { parsePgVersion, type UnixMs } from '../../src/facts/units.ts'
import type { Role } from '../../src/facts/decide/rules.ts'
import type { DataDirectory } from '../../src/observe/files/data-directory.ts'
import type { RawFile } from '../../src/observe/files/disk.ts'
import { forgeControlFile, layoutOfVersion } from './control-file-builder.ts'
import { noon } from './evidence.ts'
import { fakeProcesses, type FakeProcess } from './fake-processes.ts'

export type ChildName = 'startup' | 'checkpointer' | 'walwriter' | 'walreceiver'

type Stamped<Content> = { readonly content: Content; readonly modified: UnixMs }

export type ServerKind = {
  readonly major: 13 | 16
  readonly hotStandby: boolean
  /** What its first start is to make of it. */
  readonly request: 'primary' | 'standby' | 'recovery'
}
export type SimulatedServer = ReturnType<typeof createSimulatedServer>

const directoryInode = '1:2'
const ownCommandLine = 'postgres\0-D\0/pgdata\0'

export const createSimulatedServer = ({ major, hotStandby, request }: ServerKind) => {
  const processes = fakeProcesses()
  const children = new Map<ChildName, FakeProcess>()
  const layout = layoutOfVersion(`${major}`)
  const signals = { standby: request === 'standby', recovery: request === 'recovery' }
  /** Milliseconds since boot. */
  let now = 1_000_000
  let lastPid = 4000
  let lastSharedMemoryId = 0
  let postmaster: FakeProcess | null = null
  let startTime = 0
  let lockFile: Stamped<readonly string[]> | null = null
  let control: Stamped<ClusterState>
  let served: ReadonlySet<Role> = new Set()
  let servedMeanwhile = new Set<Role>()

  const stamp = <Content>(content: Content): Stamped<Content> => ({
    content,
    modified: (noon + Math.floor(now / 4) * 4) as UnixMs,
  })
  const spawn = (process: Omit<FakeProcess, 'pid'>): FakeProcess => {
    lastPid += 1
    return processes.add({ pid: lastPid, started: Math.floor(now / 10), ...process })
  }
  const listChildren = (): void => {
    if (postmaster !== null) postmaster.children = [...children.values()].map(({ pid }) => pid)
  }
  control = stamp<ClusterState>('shut down')

  return {
    major,
    hotStandby,
    processes,
    signals,
    pass: (ms: number): void => {
      now += ms
      processes.setNow(Math.floor(now / 10))
    },

    /** What clients get from now on: more than one role when it is about to change. */
    serve: (...roles: readonly Role[]): void => {
      served = new Set(roles)
      for (const role of roles) servedMeanwhile.add(role)
    },
    served: () => served,
    /** Begins to note who is served, and returns what was noted since the last time. */
    noteServed: (): ReadonlySet<Role> => {
      const noted = servedMeanwhile
      servedMeanwhile = new Set(served)
      return noted
    },

    postmaster: () => postmaster,
    startPostmaster: (): void => {
      postmaster = spawn({
        program: 'postgres',
        commandLine: ownCommandLine,
        workingDirectory: directoryInode,
        children: [],
      })
      startTime = Math.floor((noon + now) / 1000)
    },
    /** Leaves whatever is in the lock file behind. */
    endPostmaster: (): void => {
      if (postmaster !== null) processes.remove(postmaster.pid)
      postmaster = null
    },

    /** So many lines of the lock file; the eighth is the status. */
    writeLockFile: (lineCount: number, status: PostmasterStatus = 'starting'): void => {
      if (lineCount === 7) lastSharedMemoryId += 1
      const lines = [
        `${postmaster?.pid}`,
        '/pgdata',
        `${startTime}`,
        '5432',
        '/tmp',
        '*',
        `${'1234'.padStart(9)} ${`${lastSharedMemoryId}`.padStart(9)}`,
        status.padEnd(8),
      ]
      lockFile = stamp(lines.slice(0, lineCount))
    },
    /** Gives the seventh line another id and leaves the status as it is. */
    renewSharedMemory: (): void => {
      lastSharedMemoryId += 1
      const line = `${'1234'.padStart(9)} ${`${lastSharedMemoryId}`.padStart(9)}`
      lockFile = stamp(lockFile?.content.with(6, line) ?? [])
    },
    unlinkLockFile: (): void => {
      lockFile = null
    },

    clusterState: (): ClusterState => control.content,
    writeControlFile: (state: ClusterState): void => {
      control = stamp(state)
    },

    hasChild: (name: ChildName): boolean => children.has(name),
    /** It shows the command line of its parent until it has got a title. */
    fork: (name: ChildName): void => {
      children.set(name, spawn({ commandLine: ownCommandLine }))
      listChildren()
    },
    entitle: (name: ChildName, activity = ''): void => {
      const child = children.get(name)
      if (child !== undefined) child.commandLine = `postgres: ${name} ${activity}\0\0`
    },
    /** Dead and not yet reaped. */
    kill: (name: ChildName): void => {
      const child = children.get(name)
      if (child !== undefined) child.state = 'zombie'
    },
    reap: (name: ChildName): void => {
      const child = children.get(name)
      if (child !== undefined) processes.remove(child.pid)
      children.delete(name)
      listChildren()
    },

    /** As its files are read. `before` runs before each reading. */
    directory: (before: () => void): DataDirectory => {
      const read = async <Content>(
        file: () => Stamped<Content> | null,
        encode: (content: Content) => Uint8Array,
      ): Promise<RawFile> => {
        before()
        const found = file()
        if (found === null) return { kind: 'absent' }
        const { content, modified } = found
        return { kind: 'present', bytes: encode(content), inode: '1:9', modified }
      }
      return {
        path: '/pgdata',
        sight: async () => {
          before()
          return {
            directory: {
              kind: 'present',
              inode: directoryInode,
              owner: 101,
              symlink: false,
              version: parsePgVersion(`${major}`),
            },
            signalFiles: {
              standbySignal: signals.standby,
              recoverySignal: signals.recovery,
              recoveryConf: null,
              backupLabel: false,
            },
          }
        },
        lockFile: () =>
          read(
            () => lockFile,
            lines => Buffer.from(lines.map(line => `${line}\n`).join('')),
          ),
        controlFile: () =>
          read(
            () => control,
            state => forgeControlFile(layout, { state }),
          ),
      }
    },
  }
}
