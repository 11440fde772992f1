import t from 'tap'
import type { Pid, Ticks, UnixMs } from '../../src/facts/units.ts'
import { createCensus } from '../../src/observe/census.ts'
import type { ProcessHandle } from '../../src/observe/process-table.ts'
import { addPostmaster, fakeProcesses } from '../harness/fake-processes.ts'

const pid = 100
const primaryTitles = ['checkpointer', 'background writer', 'walwriter', 'me db [local] idle']
const standbyTitles = ['startup recovering 000000010000000000000003', 'checkpointer', 'walreceiver']

const setUp = (titles: readonly string[]) => {
  const processes = fakeProcesses()
  const postmaster = addPostmaster(processes, { pid, inode: '1:2', titles })
  const handle = processes.table.open(pid as Pid) as ProcessHandle
  return { processes, postmaster, handle, census: createCensus(processes.table) }
}

t.test('a primary has a checkpointer and a WAL writer, and no startup process', async t => {
  const { handle, census } = setUp(primaryTitles)
  const { children, checkpointer } = await census.take(handle, false)
  t.match(children, {
    kind: 'seen',
    startup: null,
    checkpointer: { pid: 101, started: 1, title: 'postgres: checkpointer' },
    walwriter: { pid: 103 },
    walreceiver: null,
    startupUndecided: false,
  })
  t.equal(checkpointer?.pid, 101)
})

t.test('a standby has a startup process and perhaps a WAL receiver', async t => {
  const { handle, census } = setUp(standbyTitles)
  t.match((await census.take(handle, false)).children, {
    startup: { pid: 101, title: 'postgres: startup recovering 000000010000000000000003' },
    walreceiver: { pid: 103 },
  })
})

t.test('a thousand backends are counted once', async t => {
  const backends = Array.from({ length: 1000 }, (_, index) => `me db [local] idle ${index}`)
  const { processes, handle, census } = setUp([...primaryTitles, ...backends])
  await census.take(handle, false)
  t.equal(processes.titlesRead(), 1004)
  const { children } = await census.take(handle, false)
  t.match(children, { checkpointer: { pid: 101 } })
  t.equal(processes.titlesRead(), 1004)
})

t.test('a fresh count reads the titles of newcomers alone', async t => {
  const { processes, postmaster, handle, census } = setUp([...standbyTitles, 'pg_cron launcher '])
  const readBy = async (): Promise<number> => {
    const before = processes.titlesRead()
    await census.take(handle, true)
    return processes.titlesRead() - before
  }
  t.equal(await readBy(), 4)
  t.equal(await readBy(), 0)
  t.match((await census.take(handle, true)).children, { startup: { pid: 101 } })

  processes.add({ pid: 150, started: 9998, commandLine: 'postgres: walwriter ' })
  postmaster.children = [...(postmaster.children ?? []), 150]
  t.equal(await readBy(), 1)
  t.equal(await readBy(), 1, 'as long as it may not have finished writing it')
  processes.setNow(10_100)
  t.equal(await readBy(), 1)
  t.equal(await readBy(), 0)

  processes.add({ pid: 103, started: 10_000, commandLine: 'postgres: me db [local] idle' })
  t.equal(await readBy(), 1, 'a number given to somebody else')
  t.match((await census.take(handle, true)).children, { walreceiver: null, startup: { pid: 101 } })
})

t.test('when a child started is told by the clock of now', async t => {
  const { processes, handle } = setUp(primaryTitles)
  let bootedAt = 1000
  const startedAt = (started: Ticks) => (bootedAt + started * 10) as UnixMs
  const census = createCensus({ ...processes.table, startedAt })
  t.match((await census.take(handle, true)).children, { checkpointer: { startedAt: 1010 } })
  bootedAt += 2000
  t.match((await census.take(handle, true)).children, { checkpointer: { startedAt: 3010 } })
})

t.test('a title read in the middle of a change is read again', async t => {
  const { processes, handle, census } = setUp(standbyTitles)
  const whole = 'postgres: startup recovering 000000010000000000000003'
  processes.add({ pid: 101, started: 1, commandLine: 'postgres: startup recov' })
  t.match((await census.take(handle, true)).children, { startup: null })
  processes.add({ pid: 101, started: 1, commandLine: whole })
  t.match((await census.take(handle, true)).children, { startup: { title: whole } })
})

t.test('a startup process that ends is gone without another count', async t => {
  const { processes, handle, census } = setUp(standbyTitles)
  await census.take(handle, false)
  await census.take(handle, false)
  processes.remove(101)
  const read = processes.titlesRead()
  t.match((await census.take(handle, false)).children, {
    startup: null,
    checkpointer: { pid: 102 },
  })
  t.equal(processes.titlesRead(), read)
})

t.test('a checkpointer that is gone, replaced or a zombie makes for another count', async t => {
  for (const lose of ['remove', 'replace', 'zombie'] as const) {
    const { processes, postmaster, handle, census } = setUp(primaryTitles)
    await census.take(handle, false)
    if (lose === 'remove') processes.remove(101)
    if (lose === 'replace')
      processes.add({ pid: 101, started: 50, commandLine: 'postgres: me db x' })
    if (lose === 'zombie') processes.add({ pid: 101, started: 1, state: 'zombie' })
    processes.add({ pid: 120, commandLine: 'postgres: startup ', started: 60 })
    postmaster.children = [101, 120]
    const { children, checkpointer } = await census.take(handle, false)
    t.match(children, { checkpointer: null, startup: { pid: 120 }, startupUndecided: false }, lose)
    t.equal(checkpointer, null)
  }
})

t.test('another postmaster is counted anew', async t => {
  const { processes, handle, census } = setUp(primaryTitles)
  await census.take(handle, false)
  const other = addPostmaster(processes, { pid: 200, inode: '1:2', titles: ['checkpointer'] })
  const { children } = await census.take(
    processes.table.open(other.pid as Pid) as ProcessHandle,
    false,
  )
  t.match(children, { checkpointer: { pid: 201 } })
})

t.test('a child without a title may be the startup process', async t => {
  const untitled = (started: number, titles: readonly string[]) => {
    const made = setUp(titles)
    made.processes.add({ pid: 150, started, commandLine: '/usr/bin/postgres\0-D\0/pgdata\0' })
    made.postmaster.children = [...(made.postmaster.children ?? []), 150]
    return made
  }

  t.test('if it is about as old as the checkpointer', async t => {
    for (const [started, undecided] of [
      [101, true],
      [102, false],
    ] as const) {
      const { census, handle } = untitled(started, primaryTitles)
      const { children } = await census.take(handle, false)
      t.match(children, { startup: null, startupUndecided: undecided })
    }
  })

  t.test('or if there is no checkpointer', async t => {
    const { census, handle } = untitled(5000, [])
    t.match((await census.take(handle, false)).children, { startupUndecided: true })
  })

  t.test('but not if there is one already', async t => {
    const { census, handle } = untitled(1, standbyTitles)
    t.match((await census.take(handle, false)).children, { startupUndecided: false })
  })

  t.test('and it is counted until it has one', async t => {
    const { census, handle, processes } = untitled(1, primaryTitles)
    await census.take(handle, false)
    processes.add({ pid: 150, started: 1, commandLine: 'postgres: startup ' })
    t.match((await census.take(handle, false)).children, { startup: { pid: 150 } })
  })
})

t.test('a title of no known form', async t => {
  const unclear = (commandLine: string) => {
    const made = setUp(primaryTitles)
    made.processes.add({ pid: 150, started: 3, commandLine })
    made.postmaster.children = [...(made.postmaster.children ?? []), 150]
    return made
  }
  t.test('may be half-written by a newborn startup process', async t => {
    for (const [now, undecided] of [
      [7, true],
      [8, false],
    ] as const) {
      const { census, handle, processes } = unclear('postgres: startup recov')
      processes.setNow(now)
      t.match((await census.take(handle, false)).children, { startupUndecided: undecided })
    }
  })
  t.test('is a background worker when it stays so', async t => {
    const { census, handle } = unclear('postgres: pg_cron launcher ')
    t.match((await census.take(handle, false)).children, { startupUndecided: false })
  })
})

t.test('who dies while being counted does not count', async t => {
  const { census, handle, postmaster, processes } = setUp(primaryTitles)
  postmaster.children = [...(postmaster.children ?? []), 666]
  processes.add({ pid: 667, state: 'zombie' })
  postmaster.children = [...postmaster.children, 667]
  t.match((await census.take(handle, false)).children, { startupUndecided: false })
})

t.test('a checkpointer that dies right after being counted is none', async t => {
  const { handle, processes } = setUp(primaryTitles)
  const { table } = processes
  let opened = 0
  const open: typeof table.open = pid => {
    if (pid === 101) opened += 1
    return pid === 101 && opened > 1 ? 'gone' : table.open(pid)
  }
  const { children, checkpointer } = await createCensus({ ...table, open }).take(handle, false)
  t.match(children, { checkpointer: null })
  t.equal(checkpointer, null)
  t.equal(opened, 2)
})

t.test('children that can not be listed are invisible', async t => {
  const { census, handle, postmaster } = setUp(primaryTitles)
  postmaster.children = null
  t.strictSame(await census.take(handle, false), {
    children: { kind: 'invisible' },
    checkpointer: null,
  })
})

t.test('closed, it holds nobody any more', async t => {
  const { census, handle, processes } = setUp(standbyTitles)
  const before = processes.open()
  await census.take(handle, false)
  await census.take(handle, false)
  t.ok(processes.open() > before)
  census.close()
  t.equal(processes.open(), before)
})
