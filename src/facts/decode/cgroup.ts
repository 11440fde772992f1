/**
 * Control groups, as far as they freeze processes: where a process is in the two hierarchies that
 * can, and which files report it. `docker pause`, `systemctl freeze` and CRIU all use one of them.
 *
 * Source: cgroups(7), proc_pid_mountinfo(5); cgroup-v2.rst and freezer-subsystem.rst of Linux.
 *
 * File names are bytes. All texts here have one character for each byte (latin1).
 */

/** `unified` is cgroup v2; `freezer` the v1 hierarchy with that controller. Hosts may have both. */
type Hierarchy = 'unified' | 'freezer'

export type CgroupPath = { readonly hierarchy: Hierarchy; readonly path: string }

/** From /proc/PID/cgroup: lines such as `0::/system.slice/x.service`, `6:freezer:/docker/1a2b`. */
export const decodeCgroupPaths = (text: string): readonly CgroupPath[] =>
  Array.from(text.matchAll(/^(\d+):([^:\n]*):(\/.*)$/gm), ([, id, controllers = '', path = '']) => {
    if (id === '0' && controllers === '') return [{ hierarchy: 'unified' as const, path }]
    return names(controllers, 'freezer') ? [{ hierarchy: 'freezer' as const, path }] : []
  }).flat()

/** `root` is the path in the hierarchy that the mount point shows; not `/` in many containers. */
export type CgroupMount = {
  readonly hierarchy: Hierarchy
  readonly root: string
  readonly mountPoint: string
}

/** From /proc/self/mountinfo. */
export const decodeCgroupMounts = (text: string): readonly CgroupMount[] =>
  Array.from(
    text.matchAll(mountLine),
    ([, root = '', mountPoint = '', type, options = '']): readonly CgroupMount[] => {
      const mount = { root: unescaped(root), mountPoint: unescaped(mountPoint) }
      if (type === 'cgroup2') return [{ hierarchy: 'unified', ...mount }]
      const isFreezer = type === 'cgroup' && names(options, 'freezer')
      return isFreezer ? [{ hierarchy: 'freezer', ...mount }] : []
    },
  ).flat()

/** Fields 4 (root) and 5 (mount point); after the hyphen the type, the source and the options. */
const mountLine = /^\d+ \d+ \d+:\d+ (\S+) (\S+) \S+ (?:[^-\s]\S* )*- (cgroup2?) \S* (\S+)$/gm

const names = (list: string, name: string): boolean => list.split(',').includes(name)

/** The kernel writes blanks, tabs, line feeds, backslashes and # as three octal digits. */
const unescaped = (field: string): string =>
  field.replaceAll(/\\([0-3][0-7]{2})/g, (_, octal: string) =>
    String.fromCharCode(Number.parseInt(octal, 8)),
  )

/**
 * The files to read, nearest first; some of them may not exist. None if no mount shows the cgroup,
 * as for one outside of our cgroup namespace (`/../x`).
 *
 * v1: `freezer.state` includes what the cgroups above impose.
 * v2: `cgroup.events` does as well, but has `frozen 1` only when the last process of the cgroup
 * has stopped: one that waits for a disk delays it for as long, while the others, the postmaster
 * among them, are frozen already. So `cgroup.freeze`, which is what was asked for, is read also: of
 * the cgroup and of each above it.
 */
export const freezerFiles = (
  paths: readonly CgroupPath[],
  mounts: readonly CgroupMount[],
): readonly string[] => {
  const files = new Set<string>()
  for (const { hierarchy, path } of paths) {
    for (const mount of mounts.filter(one => one.hierarchy === hierarchy)) {
      const folders = foldersUpwards(mount, path)
      const [own] = folders
      if (own === undefined) continue
      files.add(hierarchy === 'freezer' ? `${own}/freezer.state` : `${own}/cgroup.events`)
      if (hierarchy === 'freezer') continue
      for (const folder of folders) files.add(`${folder}/cgroup.freeze`)
    }
  }
  return [...files]
}

/** That of the cgroup and those above it, up to the mount point; none if it is not below. */
const foldersUpwards = ({ root, mountPoint }: CgroupMount, path: string): readonly string[] => {
  const [start, end] = [namesIn(root), namesIn(path)]
  const steps = end.slice(start.length)
  const isBelow = start.every((name, at) => end[at] === name) && !steps.includes('..')
  if (!isBelow) return []
  const folders = [mountPoint]
  for (const step of steps) folders.unshift(`${folders[0]}/${step}`)
  return folders
}

const namesIn = (path: string): readonly string[] => path.split('/').filter(name => name !== '')

/** Whether the content of one of these files means frozen, or about to be. */
export const saysFrozen = (content: string): boolean =>
  /^(?:frozen 1|1|FROZEN|FREEZING)$/m.test(content)
