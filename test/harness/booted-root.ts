/**
 * A system that systemd has booted in a root, beside that of the machine: with processes, mounts,
 * control groups and a network of its own. It writes into memory, and the root stays as it is.
 *
 * systemd-nspawn is the first process of a pid namespace, so that nothing is left if it is killed.
 */
import { readFileSync, readlinkSync } from 'node:fs'
import { spawnOverheard } from './overheard.ts'
import { inPidNamespace } from './pid-namespace.ts'
import { serverEnvironment } from './programs.ts'
import { runCommand, type CommandEnd } from './recipes.ts'
import { until, within } from './until.ts'

/** Two seconds on idle processors. */
const bootLimitMs = 120_000

/**
 * Started in the root, whose name may have characters that the options of a mount cannot have. The
 * variable is for a systemd that has no control groups of the first version any more.
 */
const launch = `
set -e
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/upper /run/work /run/root
mount -t overlay -o lowerdir=.,upperdir=/run/upper,workdir=/run/work overlay /run/root
cp -R "$1" /run/root/srv/release
export SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1
exec systemd-nspawn --directory=/run/root --boot --console=pipe \
  --register=no --keep-unit --private-network --link-journal=no
`

/** All that a command in there has of variables. */
const variables = [
  'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  'LC_ALL=C.UTF-8',
  'DEBIAN_FRONTEND=noninteractive',
]

export type BootedRoot = {
  /** Runs this as root in there, to its end. */
  readonly run: (script: string) => Promise<CommandEnd>
  readonly stop: () => Promise<void>
}

/** With a copy of this folder as /srv/release. */
export const bootRoot = async (root: string, folder: string): Promise<BootedRoot> => {
  const command = [...inPidNamespace, 'sh', '-c', launch, 'sh', folder]
  const { child, said, ended } = spawnOverheard(command, root)
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL')
    await within(ended, { what: 'the end of a booted root' })
  }
  let inside: readonly string[] = []
  const run = async (script: string): Promise<CommandEnd> =>
    runCommand([...inside, 'bash', '-c', script], { environment: serverEnvironment() })
  const isUp = async (): Promise<boolean> => {
    if (child.exitCode !== null) throw new Error(`it did not boot: ${said().trim()}`)
    const pid = bootedProcess(child.pid ?? 0)
    if (pid === null) return false
    inside = ['nsenter', '--target', String(pid), '--all', 'env', '-i', ...variables]
    return /^(?:running|degraded)$/m.test((await run('systemctl is-system-running --wait')).out)
  }
  try {
    await until(isUp, { what: 'a root to boot', limitMs: bootLimitMs, everyMs: 100 })
  } catch (failure) {
    await stop()
    throw failure
  }
  return { run, stop }
}

const childOf = (pid: number): number =>
  Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10)

/**
 * The one that has a pid namespace of its own below that of systemd-nspawn: until there is one,
 * commands would run on the machine itself.
 */
const bootedProcess = (unshared: number): number | null => {
  try {
    const nspawn = childOf(unshared)
    const pid = childOf(nspawn)
    const [inner, outer] = [pid, nspawn].map(one => readlinkSync(`/proc/${one}/ns/pid`))
    return inner === outer ? null : pid
  } catch {
    return null
  }
}
