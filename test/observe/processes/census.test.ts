import { spawn } from 'node:child_process'
import t from 'tap'
import type { Pid, Ticks, UnixMs } from '../../../src/facts/units.ts'
import { createCensus, readTitleFrame, type Parent } from '../../../src/observe/processes/census.ts'
import {
  openProcessTable,
  type ProcessHandle,
} from '../../../src/observe/processes/process-table.ts'
import { addPostmaster, fakeProcesses, type FakeProcess } from '../../harness/fake-processes.ts'
import { shortageCodes, systemFailure } from '../../harness/system-failure.ts'
import { until } from '../../harness/until.ts'
import { withoutDescriptors } from '../../harness/without-descriptors.ts'

const pid = 100
const primaryTitles = ['checkpointer', 'background writer', 'walwriter', 'me db [local] idle']
const standbyTitles = ['startup recovering 000000010000000000000003', 'checkpointer', 'walreceiver']

const setUp = (titles: readonly string[]) => {
  const processes = fakeProcesses()
  const postmaster = addPostmaster(processes, { pid, inode: '1:2', titles })
  const parent = parentOf(processes.table.open(pid as Pid))
  /** Another child, which is an old one unless it is told otherwise. */
  const bear = (child: Omit<FakeProcess, 'pid'>, childPid = 150): void => {
    processes.add({ started: 3, ...child, pid: childPid })
    postmaster.children = [...(postmaster.children ?? []), childPid]
  }
  return { processes, postmaster, parent, bear, census: createCensus(processes.table) }
}

const ownCommandLine = 'postgres\0-D\0/pgdata\0'
const parentOf = (handle: unknown, room: number | null = 1000): Parent => ({
  handle: handle as ProcessHandle,
  titles: { commandLine: ownCommandLine, room },
})

t.test('a primary has a checkpointer and a WAL writer, and no startup process', async t => {
  const { parent, census } = setUp(primaryTitles)
  const { children, checkpointer } = await census.take(parent, false)
  t.match(children, {
    kind: 'present',
    startup: null,
    checkpointer: { pid: 101, started: 1, title: 'postgres: checkpointer' },
    walwriter: { pid: 103 },
    walreceiver: null,
    session: { pid: 104, title: 'postgres: me db [local] idle' },
    titlesIncomplete: false,
    startupUndecided: false,
  })
  t.equal(checkpointer?.pid, 101)
})

t.test('a standby has a startup process and perhaps a WAL receiver', async t => {
  const { parent, census } = setUp(standbyTitles)
  t.match((await census.take(parent, false)).children, {
    startup: { pid: 101, title: 'postgres: startup recovering 000000010000000000000003' },
    walreceiver: { pid: 103 },
  })
})

t.test('a thousand backends are counted once', async t => {
  const backends = Array.from({ length: 1000 }, (_, index) => `me db${index} [local] idle`)
  const { processes, parent, census } = setUp([...primaryTitles, ...backends])
  await census.take(parent, false)
  t.equal(processes.titlesRead(), 1004)
  const { children } = await census.take(parent, false)
  t.match(children, { checkpointer: { pid: 101 } })
  t.equal(processes.titlesRead(), 1004)
})

t.test('a fresh count reads the titles of newcomers alone', async t => {
  const { processes, postmaster, parent, census } = setUp([...standbyTitles, 'pg_cron launcher '])
  const readBy = async (): Promise<number> => {
    const before = processes.titlesRead()
    await census.take(parent, true)
    return processes.titlesRead() - before
  }
  t.equal(await readBy(), 4)
  t.equal(await readBy(), 0)
  t.match((await census.take(parent, true)).children, { startup: { pid: 101 } })

  processes.add({ pid: 150, started: 9998, commandLine: 'postgres: walwriter ' })
  postmaster.children = [...(postmaster.children ?? []), 150]
  t.equal(await readBy(), 1)
  t.equal(await readBy(), 1, 'as long as it may not have finished writing it')
  processes.setNow(10_100)
  t.equal(await readBy(), 1)
  t.equal(await readBy(), 0)

  processes.add({ pid: 103, started: 10_000, commandLine: 'postgres: me db [local] idle' })
  t.equal(await readBy(), 1, 'a number given to somebody else')
  t.match((await census.take(parent, true)).children, { walreceiver: null, startup: { pid: 101 } })
})

t.test('the start of a child is computed with the current clock', async t => {
  const { processes, parent } = setUp(primaryTitles)
  let bootedAt = 1000
  const startedAt = (started: Ticks) => (bootedAt + started * 10) as UnixMs
  const census = createCensus({ ...processes.table, startedAt })
  t.match((await census.take(parent, true)).children, { checkpointer: { startedAt: 1010 } })
  bootedAt += 2000
  t.match((await census.take(parent, true)).children, { checkpointer: { startedAt: 3010 } })
})

t.test('a title read in the middle of a change is read again', async t => {
  const { processes, parent, census } = setUp(standbyTitles)
  const whole = 'postgres: startup recovering 000000010000000000000003'
  processes.add({ pid: 101, started: 1, commandLine: 'postgres: startup recov' })
  t.match((await census.take(parent, true)).children, { startup: null })
  processes.add({ pid: 101, started: 1, commandLine: whole })
  t.match((await census.take(parent, true)).children, { startup: { title: whole } })
})

t.test('a startup process that ends is gone without another count', async t => {
  const { processes, parent, census } = setUp(standbyTitles)
  await census.take(parent, false)
  await census.take(parent, false)
  processes.remove(101)
  const read = processes.titlesRead()
  t.match((await census.take(parent, false)).children, {
    startup: null,
    checkpointer: { pid: 102 },
  })
  t.equal(processes.titlesRead(), read)
})

t.test('a checkpointer that is gone, replaced or a zombie makes for another count', async t => {
  for (const lose of ['remove', 'replace', 'zombie'] as const) {
    const { processes, postmaster, parent, census } = setUp(primaryTitles)
    await census.take(parent, false)
    if (lose === 'remove') processes.remove(101)
    if (lose === 'replace')
      processes.add({ pid: 101, started: 50, commandLine: 'postgres: me db x' })
    if (lose === 'zombie') processes.add({ pid: 101, started: 1, state: 'zombie' })
    processes.add({ pid: 120, commandLine: 'postgres: startup ', started: 60 })
    postmaster.children = [101, 120]
    const { children, checkpointer } = await census.take(parent, false)
    t.match(children, { checkpointer: null, startup: { pid: 120 }, startupUndecided: false }, lose)
    t.equal(checkpointer, null)
  }
})

t.test('another postmaster is counted anew', async t => {
  const { processes, parent, census } = setUp(primaryTitles)
  await census.take(parent, false)
  const other = addPostmaster(processes, { pid: 200, inode: '1:2', titles: ['checkpointer'] })
  const otherParent = parentOf(processes.table.open(other.pid as Pid))
  const { children } = await census.take(otherParent, false)
  t.match(children, { checkpointer: { pid: 201 } })
})

t.test('a child without a title may be the startup process', async t => {
  const untitled = (started: number, titles: readonly string[]) => {
    const made = setUp(titles)
    made.bear({ started, commandLine: ownCommandLine })
    // No child has had its title for longer than this.
    made.processes.setNow(started + 99)
    return made
  }

  t.test('if it is about as old as the checkpointer', async t => {
    for (const [started, undecided] of [
      [101, true],
      [102, false],
    ] as const) {
      const { census, parent } = untitled(started, primaryTitles)
      const { children } = await census.take(parent, false)
      t.match(children, { startup: null, startupUndecided: undecided })
    }
  })

  t.test('or if there is no checkpointer', async t => {
    const { census, parent } = untitled(5000, [])
    t.match((await census.take(parent, false)).children, { startupUndecided: true })
  })

  t.test('but not if there is one already', async t => {
    const { census, parent } = untitled(1, standbyTitles)
    t.match((await census.take(parent, false)).children, { startupUndecided: false })
  })

  t.test('and it is counted until it has one', async t => {
    const { census, parent, processes } = untitled(1, primaryTitles)
    await census.take(parent, false)
    processes.add({ pid: 150, started: 1, commandLine: 'postgres: startup ' })
    t.match((await census.take(parent, false)).children, { startup: { pid: 150 } })
  })
})

t.test('a child that never gets a title may be anything, and is counted once', async t => {
  const { bear, census, parent, processes } = setUp(primaryTitles)
  bear({ started: 2, commandLine: ownCommandLine })
  processes.setNow(102)
  const { children } = await census.take(parent, false)
  t.match(children, { startup: null, titlesIncomplete: true, startupUndecided: false })
  const counts = processes.counts()
  t.match((await census.take(parent, false)).children, { titlesIncomplete: true })
  t.equal(processes.counts(), counts)
})

t.test('a child that is not of PostgreSQL is counted once', async t => {
  const { bear, census, parent, processes } = setUp(primaryTitles)
  bear({ started: 2, commandLine: 'sleep\x0060\0' })
  t.match((await census.take(parent, false)).children, {
    startup: null,
    checkpointer: { pid: 101 },
    titlesIncomplete: false,
    startupUndecided: false,
  })
  const [counts, read] = [processes.counts(), processes.titlesRead()]
  await census.take(parent, false)
  t.equal(processes.counts(), counts, 'nothing is counted again')
  await census.take(parent, true)
  t.equal(processes.titlesRead(), read, 'nor is its title read')
})

t.test('unless it started a moment ago: a title is overwritten in place', async t => {
  for (const commandLine of ['postgs: startup', '']) {
    const { bear, census, parent, processes } = setUp(primaryTitles)
    bear({ commandLine })
    processes.setNow(7)
    const undecided = { titlesIncomplete: false, startupUndecided: true }
    t.match((await census.take(parent, false)).children, undecided, JSON.stringify(commandLine))
    processes.add({ pid: 150, started: 3, commandLine: 'postgres: startup ' })
    t.match((await census.take(parent, false)).children, { startup: { pid: 150 } })
  }
})

t.test('of all sessions the youngest counts', async t => {
  const { bear, census, parent } = setUp(primaryTitles)
  bear({ started: 40, commandLine: 'postgres: me db [local] idle' }, 151)
  bear({ started: 50, commandLine: 'postgres: me db 10.0.0.7(40122) SELECT' }, 150)
  bear({ started: 60, commandLine: 'postgres: me db [local] startup' }, 152)
  t.match((await census.take(parent, false)).children, { session: { pid: 150, started: 50 } })
  t.match((await census.take(parent, true)).children, { session: { pid: 150 } }, 'known ones, too')
})

t.test('a client that logs in becomes a session', async t => {
  const { bear, census, parent, processes } = setUp(standbyTitles)
  const titled = (activity: string) => `postgres: me db [local] ${activity}`
  bear({ commandLine: titled('startup') })
  t.match((await census.take(parent, true)).children, { session: null })
  processes.add({ pid: 150, started: 3, commandLine: titled('idle') })
  t.match((await census.take(parent, true)).children, { session: { pid: 150 } })
  const read = processes.titlesRead()
  await census.take(parent, true)
  t.equal(processes.titlesRead(), read, 'and stays one')
})

t.test('a title that fills its space identifies no process', async t => {
  const { bear, census, parent } = setUp(['checkpointer'])
  bear({ commandLine: 'postgres: 15/main: startup recovering 0000' })
  const cut = { ...parent, titles: { ...parent.titles, room: 44 } }
  t.match((await census.take(cut, false)).children, {
    startup: null,
    checkpointer: { pid: 101 },
    titlesIncomplete: true,
    startupUndecided: false,
  })
})

t.test('one that may be shorter later, or could not be read, is read again', async t => {
  const { bear, census, parent, processes } = setUp([])
  const cut = { ...parent, titles: { ...parent.titles, room: 44 } }
  bear({ commandLine: 'postgres: main: checkpointer performing end' }, 150)
  bear({ commandLine: '' }, 151)
  bear({ commandLine: 'postgres: name_of_a_user name_of_a_database' }, 152)
  t.match((await census.take(cut, false)).children, { checkpointer: null, titlesIncomplete: true })
  processes.add({ pid: 150, started: 3, commandLine: 'postgres: main: checkpointer ' })
  processes.add({ pid: 151, started: 3, commandLine: 'postgres: main: walwriter ' })
  const read = processes.titlesRead()
  t.match((await census.take(cut, false)).children, {
    checkpointer: { pid: 150 },
    walwriter: { pid: 151 },
    titlesIncomplete: true,
  })
  t.equal(processes.titlesRead() - read, 2, 'but not that of a backend')
})

t.test('where its room is unknown, one of no known form may have been cut', async t => {
  const cutTitles = ['main: check', 'main: walwr', 'main: startup recove']
  const takeIn = async (titles: readonly string[], room: number | null) => {
    const { processes, census } = setUp(titles)
    const { children } = await census.take(parentOf(processes.table.open(pid as Pid), room), false)
    return children
  }
  t.match(await takeIn(cutTitles, null), { checkpointer: null, titlesIncomplete: true })
  t.match(await takeIn(cutTitles, 1000), { titlesIncomplete: false }, 'not where it is known')
  const worker = ['checkpointer', 'pg_cron launcher ']
  t.match(
    await takeIn(worker, null),
    { titlesIncomplete: false },
    'nor where the checkpointer is found',
  )
})

t.test('titles are compared with what their postmaster shows', async t => {
  const { processes, postmaster } = setUp([])
  t.strictSame(await readTitleFrame(processes.table, pid as Pid), {
    commandLine: ownCommandLine,
    room: 1000,
  })
  postmaster.titleRoom = null
  t.match(await readTitleFrame(processes.table, pid as Pid), { room: null })
  t.strictSame(await readTitleFrame(processes.table, 666 as Pid), { commandLine: '', room: null })
})

t.test('a title of no known form', async t => {
  const unclear = (commandLine: string) => {
    const made = setUp(primaryTitles)
    made.bear({ commandLine })
    return made
  }
  t.test('may be half-written by a newborn startup process', async t => {
    for (const [now, undecided] of [
      [7, true],
      [8, false],
    ] as const) {
      const { census, parent, processes } = unclear('postgres: startup recov')
      processes.setNow(now)
      t.match((await census.take(parent, false)).children, { startupUndecided: undecided })
    }
  })
  t.test('is a background worker when it stays so', async t => {
    const { census, parent } = unclear('postgres: pg_cron launcher ')
    t.match((await census.take(parent, false)).children, { startupUndecided: false })
  })
})

t.test('a child that exits while being counted does not count', async t => {
  const { census, parent, postmaster, processes } = setUp(primaryTitles)
  postmaster.children = [...(postmaster.children ?? []), 666]
  processes.add({ pid: 667, state: 'zombie' })
  postmaster.children = [...postmaster.children, 667]
  t.match((await census.take(parent, false)).children, { startupUndecided: false })
})

t.test('a checkpointer that exits right after being counted is none', async t => {
  const { parent, processes } = setUp(primaryTitles)
  const { table } = processes
  let opened = 0
  const open: typeof table.open = pid => {
    if (pid === 101) opened += 1
    return pid === 101 && opened > 1 ? 'gone' : table.open(pid)
  }
  const { children, checkpointer } = await createCensus({ ...table, open }).take(parent, false)
  t.match(children, { checkpointer: null })
  t.equal(checkpointer, null)
  t.equal(opened, 2)
})

t.test('children that cannot be listed are invisible', async t => {
  const { census, parent, postmaster } = setUp(primaryTitles)
  postmaster.children = null
  t.strictSame(await census.take(parent, false), {
    children: { kind: 'invisible' },
    checkpointer: null,
  })
})

t.test('after close, it holds no process', async t => {
  const { census, parent, processes } = setUp(standbyTitles)
  const before = processes.open()
  await census.take(parent, false)
  await census.take(parent, false)
  t.ok(processes.open() > before)
  census.close()
  t.equal(processes.open(), before)
})

t.test('a startup process that cannot be opened has not ended', async t => {
  const titles = ['startup recovering 000000010000000000000003', 'checkpointer ']
  const children = titles.map(title =>
    spawn('sleep', ['60'], { argv0: `postgres: ${title}`, stdio: 'ignore' }),
  )
  t.teardown(() => children.forEach(child => child.kill('SIGKILL')))
  const table = openProcessTable()
  await until(
    async () => {
      const shown = await Promise.all(children.map(({ pid }) => table.commandLine(pid as Pid)))
      return shown.every(title => title.startsWith('postgres: '))
    },
    { what: 'the titles' },
  )
  const parent = parentOf(table.open(process.pid as Pid))
  const census = createCensus(table)
  const startup = { pid: children[0]?.pid }
  t.match((await census.take(parent, true)).children, { startup })
  await t.rejects(
    withoutDescriptors(() => census.take(parent, false)),
    { code: 'EMFILE' },
  )
  t.match((await census.take(parent, false)).children, { startup }, 'it is held from now on')
  await withoutDescriptors(async () => {
    t.match((await census.take(parent, false)).children, { startup })
    await t.rejects(census.take(parent, true), { code: 'EMFILE' })
  })
  t.match((await census.take(parent, true)).children, { startup })
  census.close()
})

t.test('whatever the shortage is of', async t => {
  for (const code of shortageCodes) {
    const { processes, parent } = setUp(standbyTitles)
    let short = false
    const open: typeof processes.table.open = pid => {
      if (short) throw systemFailure(code)
      return processes.table.open(pid)
    }
    const census = createCensus({ ...processes.table, open })
    await census.take(parent, true)
    short = true
    await t.rejects(census.take(parent, false), { code })
    short = false
    t.match((await census.take(parent, false)).children, { startup: { pid: 101 } })
  }
})
