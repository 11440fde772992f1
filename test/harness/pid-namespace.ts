/**
 * A pid namespace with a /proc of its own: as much of a container as matters to who looks at
 * processes. Its first process has pid 1 there, and when that ends, all end.
 */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { serverEnvironment } from './programs.ts'
import { serverUser } from './server-user.ts'
import { until } from './until.ts'

/** Whoever is not root needs a user namespace for that, in which he stays who he is. */
const isRoot = process.getuid?.() === 0
const userNamespace = isRoot ? [] : ['--user', '--map-current-user', '--keep-caps']

/** Put before a command, which is root's as we are root. */
export const inPidNamespace: readonly string[] = [
  'unshare',
  ...userNamespace,
  '--pid',
  '--mount-proc',
  '--kill-child',
  '--fork',
]

/** Put before a command in there that is the server user's; it does not outlive its parent. */
export const asServerUser = (): readonly string[] => {
  const { uid, gid } = serverUser()
  const ids = isRoot ? [`--reuid=${uid}`, `--regid=${gid}`, '--clear-groups'] : []
  return ['setpriv', ...ids, '--pdeathsig', 'KILL']
}

/** Null where namespaces may be made, else why not. */
export const whyNoNamespace = (): string | null => {
  const command = [...inPidNamespace, ...asServerUser(), 'true']
  const { status, stderr, error } = spawnSync('env', command, { env: serverEnvironment() })
  if (status === 0) return null
  return `no pid namespace can be made here: ${error?.message ?? String(stderr).trim()}`
}

/** The pid, outside, of the first process in there; `unshared` is that of `inPidNamespace`. */
export const firstProcess = async (unshared: number): Promise<number> => {
  const path = `/proc/${unshared}/task/${unshared}/children`
  let pid = 0
  const isThere = (): boolean => (pid = Number.parseInt(readFileSync(path, 'utf8'), 10)) > 0
  await until(isThere, { what: 'the first process of a pid namespace' })
  return pid
}

/** Put before a command that is to run in there as well, as `docker exec` does. */
export const entering = (first: number): readonly string[] => {
  const user = isRoot ? [] : ['--user', '--preserve-credentials']
  return ['nsenter', '--target', String(first), ...user, '--pid', '--mount']
}
