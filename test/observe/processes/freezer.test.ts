import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readdirSync, rmSync, symlinkSync, watch, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { MonotonicMs, Pid } from '../../../src/facts/units.ts'
import { createFreezer } from '../../../src/observe/processes/freezer.ts'
import type { ProcessHandle } from '../../../src/observe/processes/process-table.ts'
import { fakeProcesses } from '../../harness/fake-processes.ts'
import { createManualClock } from '../../harness/manual-clock.ts'
import { within } from '../../harness/until.ts'
import { withoutDescriptors } from '../../harness/without-descriptors.ts'

const processOf = (pid: number): ProcessHandle => {
  const processes = fakeProcesses()
  processes.add({ pid })
  const handle = processes.table.open(pid as Pid)
  if (typeof handle === 'string') throw new Error(handle)
  return handle
}

let now = 0
/** By which each look is long after the one before. */
const everLater = { monotonic: () => (now += 200) as MonotonicMs }

/** A /proc and the cgroups of a host with both hierarchies, made of files; process 7 is in /a. */
const setUp = (t: Test) => {
  const group = () => ({ 'cgroup.events': 'populated 1\nfrozen 0\n', 'cgroup.freeze': '0\n' })
  const root = t.testdir({
    proc: { 7: { cgroup: '6:freezer:/\n0::/a\n' }, self: {} },
    v1: { f: { 'freezer.state': 'THAWED\n' } },
    v2: { a: { ...group(), b: group() }, c: group() },
  })
  const mount = (point: string, rest: string): string =>
    `37 31 0:34 / ${join(root, point).replaceAll(' ', '\\040')} rw - ${rest}\n`
  const mounts = mount('v1', 'cgroup cgroup rw,freezer') + mount('v2', 'cgroup2 cgroup2 rw')
  const put = (path: string, content: string): void => writeFileSync(join(root, path), content)
  put('proc/self/mountinfo', mounts)
  const descriptors = (): number => readdirSync('/proc/self/fd').length
  return { root, proc: join(root, 'proc'), put, descriptors }
}

t.test('v2: what was asked for and what it has come to, here and above', async t => {
  const { proc, put } = setUp(t)
  const freezer = createFreezer(everLater, proc)
  put('proc/7/cgroup', '0::/a/b\n')
  const seven = processOf(7)
  t.equal(freezer.isFrozen(), false, 'before the first look nothing is known')
  t.equal(await freezer.look(seven), false)
  const contents = [
    ['v2/a/b/cgroup.freeze', '1\n', '0\n'],
    ['v2/a/cgroup.freeze', '1\n', '0\n'],
    ['v2/a/b/cgroup.events', 'populated 1\nfrozen 1\n', 'populated 1\nfrozen 0\n'],
  ] as const
  for (const [path, frozen, thawed] of contents) {
    put(path, frozen)
    t.equal(freezer.isFrozen(), true, `between two looks: ${path}`)
    t.equal(await freezer.look(seven), true, path)
    put(path, thawed)
    t.equal(freezer.isFrozen(), false, path)
    t.equal(await freezer.look(seven), false, path)
  }
  freezer.close()
  t.equal(freezer.isFrozen(), false)
  freezer.close()
})

t.test('v1: the state, also while not all have stopped', async t => {
  const { proc, put } = setUp(t)
  const freezer = createFreezer(everLater, proc)
  put('proc/7/cgroup', '6:freezer:/f\n0::/\n')
  const seven = processOf(7)
  for (const [state, frozen] of [
    ['FREEZING', true],
    ['FROZEN', true],
    ['THAWED', false],
  ] as const) {
    put('v1/f/freezer.state', `${state}\n`)
    t.equal(await freezer.look(seven), frozen, state)
  }
  freezer.close()
})

t.test('a process that is moved is followed with the next check', async t => {
  const { proc, put, descriptors } = setUp(t)
  const freezer = createFreezer(everLater, proc)
  const seven = processOf(7)
  const before = descriptors()
  t.equal(await freezer.look(seven), false)
  put('proc/7/cgroup', '0::/c\n')
  put('v2/c/cgroup.freeze', '1\n')
  t.equal(await freezer.look(seven), true)
  put('v2/c/cgroup.freeze', '0\n')
  t.equal(freezer.isFrozen(), false)
  const held = descriptors()
  for (const path of ['/a', '/c', '/a', '/c']) {
    put('proc/7/cgroup', `0::${path}\n`)
    await freezer.look(seven)
  }
  t.equal(descriptors(), held, 'files of former cgroups are closed')
  freezer.close()
  t.equal(descriptors(), before)
})

t.test('another process is another matter', async t => {
  const { root, proc, put, descriptors } = setUp(t)
  const freezer = createFreezer(everLater, proc)
  const before = descriptors()
  put('v2/c/cgroup.freeze', '1\n')
  await freezer.look(processOf(7))
  mkdirSync(join(root, 'proc/8'))
  put('proc/8/cgroup', '0::/c\n')
  t.equal(await freezer.look(processOf(8)), true)
  t.equal(await freezer.look(processOf(9)), false, 'one whose cgroups cannot be read')
  t.equal(descriptors(), before)
})

t.test('where nothing can be seen nothing is frozen', async t => {
  const { root, proc, put } = setUp(t)
  const freezer = createFreezer(everLater, proc)
  const seven = processOf(7)
  put('v2/a/cgroup.freeze', '1\n')
  for (const path of ['/../a', '/gone', '/a\0']) {
    put('proc/7/cgroup', `0::${path}\n`)
    t.equal(await freezer.look(seven), false, JSON.stringify(path))
  }
  rmSync(join(root, 'proc/self/mountinfo'))
  put('proc/7/cgroup', '0::/a\n')
  t.equal(await freezer.look(seven), false, 'without a list of mounts')
  freezer.close()
})

t.test('files that could not be opened or read are opened again', async t => {
  const { root, proc, put } = setUp(t)
  const freezer = createFreezer(everLater, proc)
  const seven = processOf(7)
  const [file, events] = [join(root, 'v2/a/cgroup.freeze'), join(root, 'v2/a/cgroup.events')]
  rmSync(file)
  symlinkSync('cgroup.freeze', file)
  t.equal(await freezer.look(seven), false, 'ELOOP')
  rmSync(file)
  rmSync(events)
  mkdirSync(events)
  put('v2/a/cgroup.freeze', '0\n')
  t.equal(await freezer.look(seven), false, 'EISDIR, as ENODEV of a cgroup that was removed')
  rmSync(events, { recursive: true })
  put('v2/a/cgroup.events', 'frozen 1\n')
  t.equal(await freezer.look(seven), true)
  freezer.close()
})

t.test('a process that has ended is in no cgroup', async t => {
  const child = spawn('sleep', ['100'])
  const freezer = createFreezer(everLater)
  const process = processOf(child.pid ?? 0)
  t.equal(await freezer.look(process), false)
  child.kill('SIGKILL')
  await once(child, 'exit')
  t.equal(await freezer.look(process), false)
  freezer.close()
})

t.test('the kernel reports a change, also in the cgroup that a process was moved to', async t => {
  const { proc, put } = setUp(t)
  const freezer = createFreezer(everLater, proc)
  let changed: () => void = () => {}
  freezer.watch(() => changed())
  const change = async (path: string, content: string): Promise<void> => {
    const reported = new Promise<void>(resolve => {
      changed = resolve
    })
    put(path, content)
    await within(reported, { what: `an event of ${path}`, limitMs: 5000 })
  }
  const seven = processOf(7)
  await freezer.look(seven)
  await change('v2/a/cgroup.freeze', '1\n')
  put('proc/7/cgroup', '0::/c\n')
  t.equal(await freezer.look(seven), false)
  await change('v2/c/cgroup.events', 'populated 1\nfrozen 1\n')
  t.equal(freezer.isFrozen(), true)
  freezer.close()
})

t.test(
  'without inotify the files are read all the same, and watches that break report it',
  async t => {
    const { proc, put } = setUp(t)
    const none = createFreezer(everLater, proc, () => {
      throw Object.assign(new Error('no watch'), { code: 'ENOSPC' })
    })
    none.watch(() => t.fail('nothing is reported'))
    const seven = processOf(7)
    put('v2/a/cgroup.freeze', '1\n')
    t.equal(await none.look(seven), true)
    none.close()

    const watches: ReturnType<typeof watch>[] = []
    let changes = 0
    const breaking: typeof watch = (path: Parameters<typeof watch>[0]) => {
      const watching = watch(path, { persistent: false })
      watches.push(watching)
      return watching
    }
    const freezer = createFreezer(everLater, proc, breaking)
    freezer.watch(() => {
      changes += 1
    })
    await freezer.look(seven)
    watches[0]?.emit('error', new Error('broken'))
    t.equal(changes, 1)
    freezer.close()
  },
)

t.test('consecutive checks assume the same cgroups', async t => {
  const { proc, put } = setUp(t)
  const { clock, advance } = createManualClock()
  const freezer = createFreezer(clock, proc)
  const seven = processOf(7)
  put('v2/c/cgroup.freeze', '1\n')
  t.equal(await freezer.look(seven), false)
  put('proc/7/cgroup', '0::/c\n')
  advance(199)
  t.equal(await freezer.look(seven), false)
  put('v2/a/cgroup.freeze', '1\n')
  t.equal(await freezer.look(seven), true, 'but their files are read each time')
  put('v2/a/cgroup.freeze', '0\n')
  advance(1)
  t.equal(await freezer.look(seven), true)
  t.equal(await freezer.look(processOf(7)), true, 'as with another process')
  freezer.close()
})

t.test('without descriptors it is unknown, and afterwards it is known', async t => {
  const { proc, put, descriptors } = setUp(t)
  put('v2/a/cgroup.freeze', '1\n')
  const { clock, advance } = createManualClock()
  const freezer = createFreezer(clock, proc)
  const seven = processOf(7)
  await t.rejects(
    withoutDescriptors(() => freezer.look(seven)),
    { code: 'EMFILE' },
  )
  t.equal(await freezer.look(seven), true)
  advance(200)
  // In another cgroup, which means to read the mounts again.
  put('proc/7/cgroup', '0::/c\n')
  put('v2/c/cgroup.freeze', '1\n')
  await t.rejects(
    withoutDescriptors(() => freezer.look(seven)),
    { code: 'EMFILE' },
  )
  t.equal(await freezer.look(seven), true)
  put('v2/c/cgroup.freeze', '0\n')
  t.equal(await freezer.look(seven), false)
  advance(200)
  put('proc/7/cgroup', '0::/a\n')
  const before = descriptors()
  // Enough for the mounts, and for one of the files.
  await t.rejects(
    withoutDescriptors(() => freezer.look(seven), 1),
    { code: 'EMFILE' },
  )
  t.equal(descriptors(), before)
  t.equal(await freezer.look(seven), true)
  freezer.close()
})
