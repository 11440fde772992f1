/**
 * Control groups, to freeze and to thaw what is in them.
 *
 * Under v1 a frozen process heeds no signal, SIGKILL included. So a shell waits for the end of its
 * standard input, which comes with finish(), and also when our process dies; then it thaws what is
 * in the group, moves it out and removes the group.
 */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { decodeCgroupMounts } from '../../src/facts/decode/cgroup.ts'
import type { Pid } from '../../src/facts/units.ts'
import { openProcessTable } from '../../src/observe/processes/process-table.ts'
import { errorCode } from '../../src/observe/system/system-error.ts'
import type { Cluster } from './cluster.ts'
import { serverEnvironment } from './programs.ts'
import { within } from './until.ts'

export type CgroupVersion = 'v1' | 'v2'

export type ControlGroup = {
  readonly folder: string
  readonly add: (pid: number) => void
  /** The postmaster and its children, and those it has from now on. */
  readonly addServer: (cluster: Cluster) => void
  /** Asks for it; see isFrozen(). */
  readonly freeze: () => void
  readonly thaw: () => void
  /** All that is in it. */
  readonly isFrozen: () => boolean
  readonly finish: () => Promise<void>
}

const freezers = {
  v1: {
    hierarchy: 'freezer',
    file: 'freezer.state',
    told: 'freezer.state',
    words: ['FROZEN', 'THAWED'],
  },
  v2: { hierarchy: 'unified', file: 'cgroup.freeze', told: 'cgroup.events', words: ['1', '0'] },
} as const

const script = `
exec 2>/dev/null
cat >/dev/null
tries=0
while [ -d "$1" ] && [ "$tries" -lt 100 ]; do
  echo "$3" >"$1/$2"
  while read -r pid; do echo "$pid" >"$4/cgroup.procs"; done <"$1/cgroup.procs"
  rmdir "$1" || sleep 0.03
  tries=$((tries + 1))
done
[ -z "$5" ] || { umount "$5" && rmdir "$5"; }
`

let made = 0

/** In another one, or at the top of the hierarchy. */
export const makeControlGroup = (version: CgroupVersion, above?: ControlGroup): ControlGroup => {
  const { file, told, words } = freezers[version]
  const [frozen, thawed] = words
  const { top, ownMount } = openHierarchy(version)
  made += 1
  const folder = join(above?.folder ?? top, `pg-replstatus-test.${process.pid}.${made}`)
  const shell = spawn(
    '/bin/sh',
    ['-c', script, 'guard', folder, file, thawed, top, ownMount ?? ''],
    {
      cwd: '/',
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    },
  )
  const gone = once(shell, 'exit')
  shell.unref()
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text)
  const add = (pid: number): void => put('cgroup.procs', String(pid))
  const addIfThere = (pid: number): void => {
    try {
      add(pid)
    } catch (failure) {
      // A child may end by itself, such as a worker whose work is done.
      if (errorCode(failure) !== 'ESRCH') throw failure
    }
  }
  const finish = async (): Promise<void> => {
    shell.ref()
    shell.stdin.end()
    await within(gone, { what: `the guard of ${folder}` })
  }
  try {
    mkdirSync(folder)
  } catch (failure) {
    shell.stdin.end()
    throw failure
  }
  return {
    folder,
    add,
    addServer: cluster => {
      add(cluster.pid())
      for (const pid of openProcessTable().children(cluster.pid() as Pid) ?? []) addIfThere(pid)
    },
    freeze: () => put(file, frozen),
    thaw: () => put(file, thawed),
    isFrozen: () => /^(?:FROZEN|frozen 1)$/m.test(readFileSync(join(folder, told), 'latin1')),
    finish,
  }
}

const findMount = (version: CgroupVersion): string | null => {
  const { hierarchy } = freezers[version]
  const mounts = decodeCgroupMounts(readFileSync('/proc/self/mountinfo', 'latin1'))
  const isWhole = ({ root }: { root: string }): boolean => root === '/'
  return mounts.find(one => one.hierarchy === hierarchy && isWhole(one))?.mountPoint ?? null
}

/** Kernels of today have the freezer of v1 as well, mounted or not. */
const openHierarchy = (version: CgroupVersion) => {
  const mounted = findMount(version)
  if (mounted !== null) return { top: mounted, ownMount: null }
  const top = mkdtempSync(join(tmpdir(), 'pg-replstatus-freezer.'))
  const { hierarchy } = freezers[version]
  const mount = {
    freezer: ['-t', 'cgroup', '-o', 'freezer', 'freezer', top],
    unified: ['-t', 'cgroup2', 'cgroup2', top],
  }
  const { status, stderr } = spawnSync('mount', mount[hierarchy], { env: serverEnvironment() })
  if (status === 0) return { top, ownMount: top }
  rmdirSync(top)
  throw new Error(String(stderr).trim())
}

/** Null where they may be made, else why not. */
export const whyNoControlGroup = (version: CgroupVersion): string | null => {
  try {
    const { top, ownMount } = openHierarchy(version)
    try {
      rmdirSync(mkdtempSync(join(top, 'pg-replstatus-test.')))
    } finally {
      if (ownMount !== null) {
        spawnSync('umount', [ownMount], { env: serverEnvironment() })
        rmdirSync(ownMount)
      }
    }
    return null
  } catch (failure) {
    const why = failure instanceof Error ? failure.message : String(failure)
    return `no control group of ${version} can be made here: ${why}`
  }
}
