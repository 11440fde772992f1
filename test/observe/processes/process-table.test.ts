import { spawn, type ChildProcess, type SpawnOptions } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { uptime } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Pid, Ticks } from '../../../src/facts/units.ts'
import {
  openProcessTable,
  type ProcessHandle,
} from '../../../src/observe/processes/process-table.ts'
import { asOrdinaryUser } from '../../harness/ordinary-user.ts'
import { serverUser } from '../../harness/server-user.ts'
import { until } from '../../harness/until.ts'
import { withoutDescriptors } from '../../harness/without-descriptors.ts'

const table = openProcessTable()
const ownPid = process.pid as Pid

/** A process of ours, killed when the test ends. */
const live = async (
  t: Test,
  options: SpawnOptions = {},
): Promise<{ child: ChildProcess; pid: Pid }> => {
  const child = spawn('sleep', ['60'], { cwd: '/', stdio: 'ignore', ...options })
  await once(child, 'spawn')
  t.teardown(() => child.kill('SIGKILL'))
  return { child, pid: child.pid as Pid }
}
const kill = async (child: ChildProcess): Promise<void> => {
  const exited = once(child, 'exit')
  child.kill('SIGKILL')
  await exited
}
const openLive = (pid: Pid): ProcessHandle => {
  const handle = table.open(pid)
  if (typeof handle === 'string') throw new Error(`pid ${pid} is ${handle}`)
  return handle
}

t.test('a process is seen with its state and start', async t => {
  const { pid } = await live(t)
  const handle = openLive(pid)
  t.match(handle.read(), { pid, parent: process.pid, state: 'running', started: handle.started })
  const ageMs = Date.now() - table.startedAt(handle.started)
  t.ok(ageMs > -50 && ageMs < 60_000, `started ${ageMs} ms ago`)
  handle.close()
})

t.test('a stopped process is found stopped, and running when it continues', async t => {
  const { child, pid } = await live(t)
  const handle = openLive(pid)
  child.kill('SIGSTOP')
  const stateIs = (state: string) => () => {
    const stat = handle.read()
    return stat !== 'gone' && stat.state === state
  }
  await until(stateIs('stopped'), { what: 'SIGSTOP to stop it' })
  child.kill('SIGCONT')
  await until(stateIs('running'), { what: 'SIGCONT to let it go on' })
  handle.close()
})

t.test('a process that was reaped is gone for its handle, and cannot be opened', async t => {
  const { child, pid } = await live(t)
  const handle = openLive(pid)
  await kill(child)
  t.equal(handle.read(), 'gone')
  t.equal(table.open(pid), 'gone')
  t.equal(table.answersSignal(pid), false)
  handle.close()
})

t.test('a closed handle returns nothing', async t => {
  const handle = openLive(ownPid)
  handle.close()
  handle.close()
  t.equal(handle.read(), 'gone')
})

t.test('every process answers signal 0, but only ours may be sent one', async t => {
  const isRoot = process.geteuid?.() === 0
  const other = isRoot ? (await live(t, { uid: serverUser().uid + 1 })).pid : (1 as Pid)
  const { child, pid } = await live(t)
  await kill(child)
  await asOrdinaryUser(async () => {
    t.match([table.answersSignal(ownPid), table.maySignal(ownPid)], [true, true])
    t.match([table.answersSignal(other), table.maySignal(other)], [true, false])
    t.match([table.answersSignal(pid), table.maySignal(pid)], [false, false])
    t.equal(await table.workingDirectory(other), null, 'and shows where it works')
  })
})

t.test('a process at rest sleeps and takes no turns', async t => {
  const { child, pid } = await live(t)
  await until(() => table.activity(pid)?.sleeping === true, { what: 'it to sleep' })
  const before = table.activity(pid)
  t.strictSame(table.activity(pid), before)
  child.kill('SIGSTOP')
  await until(() => table.activity(pid)?.sleeping === false, { what: 'SIGSTOP to wake it up' })
  child.kill('SIGCONT')
  await until(() => table.activity(pid)?.sleeping === true, { what: 'it to sleep again' })
  t.ok((table.activity(pid)?.contextSwitches ?? 0) > (before?.contextSwitches ?? 0))
  await kill(child)
  t.equal(table.activity(pid), null)
})

t.test('the table of shared memory is returned as it is', async t => {
  t.match(table.sharedMemory(), /^ +key +shmid perms +size +cpid +lpid nattch +uid /)
  const root = forge(t, {})
  t.equal(openProcessTable(root).sharedMemory(), '', 'none, as where the kernel has no IPC')
  mkdirSync(join(root, 'sysvipc'))
  writeFileSync(join(root, 'sysvipc', 'shm'), 'key shmid\n')
  t.equal(openProcessTable(root).sharedMemory(), 'key shmid\n')
})

t.test('working directory, program and arguments are returned', async t => {
  const cwd = t.testdir()
  const { pid } = await live(t, { cwd })
  const { dev, ino } = statSync(cwd, { bigint: true })
  t.equal(await table.workingDirectory(pid), `${dev}:${ino}`)
  t.match(await table.program(pid), /sleep|coreutils|busybox/)
  t.equal(await table.commandLine(pid), 'sleep\x0060\0')
})

t.test('for a process that is gone nothing is returned', async t => {
  const { child, pid } = await live(t)
  await kill(child)
  t.equal(await table.workingDirectory(pid), null)
  t.equal(await table.program(pid), null)
  t.equal(await table.commandLine(pid), '')
})

t.test('children are listed in order of birth', async t => {
  const first = await live(t)
  const second = await live(t)
  const children = table.children(ownPid) ?? []
  const places = [first.pid, second.pid].map(pid => children.indexOf(pid))
  t.ok(places.every(place => place >= 0))
  t.ok((places[0] ?? 0) < (places[1] ?? 0))
})

/** As much of a /proc as the test wants. */
const forge = (t: Test, processes: Readonly<Record<string, string>>): string => {
  const root = t.testdir({ self: { stat: '' } })
  for (const [pid, stat] of Object.entries(processes)) {
    mkdirSync(join(root, pid))
    writeFileSync(join(root, pid, 'stat'), stat)
  }
  return root
}
const statLine = (pid: number, parent: number, started: number) =>
  `${pid} (postgres) S ${parent} ${'0 '.repeat(17)}${started} 0`

t.test('a kernel that does not list children is asked for every process', async t => {
  const root = forge(t, {
    7: statLine(7, 1, 100),
    9: statLine(9, 7, 102),
    8: statLine(8, 7, 103),
    6: statLine(6, 1, 50),
    5: 'nonsense',
  })
  mkdirSync(join(root, '4'))
  t.strictSame(openProcessTable(root).children(7 as Pid), [9, 8])
  t.equal(openProcessTable(join(root, 'nowhere')).children(7 as Pid), null)
})

t.test('a list of children that cannot be read is none', async t => {
  const root = forge(t, {})
  mkdirSync(join(root, '7', 'task', '7', 'children'), { recursive: true })
  t.equal(openProcessTable(root).children(7 as Pid), null)
})

t.test('without /proc nothing is visible', async t => {
  t.equal(table.visible, true)
  t.equal(openProcessTable('/nowhere').visible, false)
})

t.test('a process that /proc hides is invisible, not gone', async t => {
  t.equal(openProcessTable(forge(t, {})).open(ownPid), 'invisible')
})

t.test('an invalid stat is none', async t => {
  t.equal(openProcessTable(forge(t, { 7: 'nonsense' })).open(7 as Pid), 'gone')
})

t.test('a handle shows what the process is now, or that it is unknown', async t => {
  const line = (state: string) => `7 (postgres) ${state} 1 ${'0 '.repeat(17)}100 0`
  const root = forge(t, { 7: line('S') })
  const handle = openProcessTable(root).open(7 as Pid)
  if (typeof handle === 'string') throw new Error(handle)
  for (const [text, wanted] of [
    [line('Z'), { state: 'zombie' }],
    ['', 'gone'],
    [line('T'), { state: 'stopped' }],
  ] as const) {
    writeFileSync(join(root, '7', 'stat'), text)
    t.match(handle.read(), wanted)
  }
  handle.close()
})

t.test('a program file that was replaced by an upgrade keeps its name', async t => {
  const root = forge(t, { 7: statLine(7, 1, 1) })
  symlinkSync('/usr/lib/postgresql/15/bin/postgres (deleted)', join(root, '7', 'exe'))
  t.equal(await openProcessTable(root).program(7 as Pid), 'postgres')
})

t.test('a process cannot be more recent than this one', async t => {
  // /proc/uptime of a container under lxcfs, where start times count from the boot of the host.
  const started = Math.round((uptime() + 86_400) * 100) as Ticks
  const root = forge(t, {})
  writeFileSync(join(root, 'self', 'stat'), statLine(process.pid, 1, started))
  const ageMs = openProcessTable(root).ageMs(started)
  t.ok(Math.abs(ageMs - performance.now()) < 1000, `${ageMs} ms`)
})

t.test(
  'nor one that started with the machine more recently than the resolution of any clock',
  async t => {
    const sinceBootMs = openProcessTable('/nowhere').ageMs(0 as Ticks)
    t.ok(sinceBootMs >= uptime() * 1000 - 1000)
    t.ok(sinceBootMs >= Number(process.hrtime.bigint() / 1_000_000n) - 1000)
  },
)

t.test('start times are hundredths of a second since boot', async t => {
  const apartMs = table.startedAt(200 as Ticks) - table.startedAt(100 as Ticks)
  t.ok(Math.abs(apartMs - 1000) <= 20, `${apartMs} ms for 100 ticks`)
})

t.test('without descriptors a process is unknown, and afterwards all is as before', async t => {
  const pid = process.pid as Pid
  const table = await withoutDescriptors(() => openProcessTable())
  const EMFILE = { code: 'EMFILE' }
  await withoutDescriptors(async () => {
    t.throws(() => table.open(pid), EMFILE)
    t.throws(() => table.children(pid), EMFILE)
    t.throws(() => table.sharedMemory(), EMFILE)
    t.throws(() => table.activity(pid), EMFILE)
    t.throws(() => table.ageMs(0 as Ticks), EMFILE)
    await t.rejects(table.commandLine(pid), EMFILE)
  })
  const handle = table.open(pid)
  if (typeof handle === 'string') throw new Error(handle)
  const age = table.ageMs(handle.started)
  t.ok(age > 0 && age < 600_000, `${age} ms`)
  handle.close()
  t.match(await table.commandLine(pid), /node/)
})
