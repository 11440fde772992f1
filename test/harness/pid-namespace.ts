/**
 * A pid namespace with a /proc of its own: as much of a container as matters to who looks at
 * processes. Its first process has pid 1 there, and when that ends, all end.
 */
import { readFileSync } from 'node:fs'
import { spawnSync } from 'node:child_process'
import { serverEnvironment } from './programs.ts'
import { serverUser, type ServerUser } from './server-user.ts'
import { until } from './until.ts'

/** Whoever is not root needs a user namespace for that, in which he stays who he is. */
const isRoot = process.getuid?.() === 0
const userNamespace = isRoot ? [] : ['--user', '--map-current-user', '--keep-caps']

/** Put before a command, which is root's as we are root. */
export const inPidNamespace: readonly string[] = [
  ...['unshare', ...userNamespace, '--pid', '--mount-proc', '--kill-child', '--fork'],
]

/** Put before a command of root's that is to be the server user's. It does not outlive its parent. */
export const asServerUser = (user: ServerUser = serverUser()): readonly string[] => {
  const ids = isRoot ? [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'] : []
  return ['setpriv', ...ids, '--pdeathsig', 'KILL']
}

/** Null where namespaces may be made, else why not. */
export const whyNoNamespace = (): string | null => {
  const [program = '', ...args] = [...inPidNamespace, ...asServerUser(), 'true']
  const { status, stderr, error } = spawnSync(program, args, { env: serverEnvironment() })
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
