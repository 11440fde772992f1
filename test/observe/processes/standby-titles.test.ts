import t from 'tap'
import type { Evidence } from '../../../src/facts/decide/evidence.ts'
import type { Pid } from '../../../src/facts/units.ts'
import { createCensus, readTitleFrame } from '../../../src/observe/processes/census.ts'
import type { ProcessHandle, ProcessTable } from '../../../src/observe/processes/process-table.ts'
import { createStandbyTitles } from '../../../src/observe/processes/standby-titles.ts'
import { lockFile, primaryEvidence, seen, standbyEvidence } from '../../harness/evidence.ts'
import { addPostmaster, fakeProcesses } from '../../harness/fake-processes.ts'
import { createManualClock, deferred, settle } from '../../harness/manual-clock.ts'

const pid = 100
const startup = 'startup recovering 000000010000000000000003'
const standbyTitles = [
  startup,
  'checkpointer',
  'background writer',
  'walreceiver streaming 0/3000148',
]
const [startupPid, receiverPid] = [101, 104]

/** A standby as a look has counted it; `add` gives its postmaster another child. */
const setUp = async (
  shown: readonly string[] = standbyTitles,
  wrap = (table: ProcessTable): ProcessTable => table,
) => {
  const processes = fakeProcesses()
  const postmaster = addPostmaster(processes, { pid, inode: '1:2', titles: shown })
  const handle = processes.table.open(pid as Pid) as ProcessHandle
  const census = createCensus(processes.table)
  const titles = await readTitleFrame(processes.table, pid as Pid)
  const { children } = await census.take({ handle, titles }, true)
  census.close()
  const evidence = standbyEvidence({ lockFile: seen(lockFile({ pid: pid as Pid })), children })
  const manual = createManualClock()
  const { asOfNow } = createStandbyTitles(wrap(processes.table), manual.clock)
  const childrenOfNow = async (of: Evidence = evidence) => (await asOfNow(of)).children
  const retitle = (child: number, title: string): void => {
    const started = child - pid
    processes.add({ pid: child, started, commandLine: `postgres: ${title}\0` })
  }
  const bear = (child: number, commandLine: string, started = 90): void => {
    processes.add({ pid: child, started, commandLine })
    postmaster.children = [...(postmaster.children ?? []), child]
  }
  return { ...manual, processes, postmaster, evidence, asOfNow, childrenOfNow, retitle, bear }
}

t.test('titles are those of now, not of the last count', async t => {
  const { childrenOfNow, retitle, processes } = await setUp()
  retitle(startupPid, 'startup recovering 000000010000000000000005')
  retitle(receiverPid, 'walreceiver streaming 0/5000060')
  const read = processes.titlesRead()
  t.match(await childrenOfNow(), {
    startup: { title: 'postgres: startup recovering 000000010000000000000005' },
    checkpointer: { pid: 102 },
    walreceiver: { title: 'postgres: walreceiver streaming 0/5000060' },
  })
  t.equal(processes.titlesRead(), read + 3, 'two titles are read, and what the postmaster shows')
  t.equal(processes.open(), 1, 'and nobody is held')
})

t.test('a torn title is read again, and then the last whole one counts', async t => {
  const { childrenOfNow, retitle } = await setUp()
  retitle(receiverPid, 'walreceiver streaming 0/4000000')
  await childrenOfNow()
  retitle(receiverPid, 'walreceiver strea')
  retitle(startupPid, 'startup recovering 0000000')
  t.match(await childrenOfNow(), {
    startup: { title: `postgres: ${startup}` },
    walreceiver: { title: 'postgres: walreceiver streaming 0/4000000' },
  })
})

t.test('a receiver that has gone is gone at once', async t => {
  for (const go of ['end', 'become another', 'become a zombie'] as const) {
    const { childrenOfNow, processes } = await setUp()
    if (go === 'end') processes.remove(receiverPid)
    if (go === 'become another') {
      processes.add({ pid: receiverPid, started: 80, commandLine: 'postgres: me db [local] idle' })
    }
    if (go === 'become a zombie') processes.add({ pid: receiverPid, started: 4, state: 'zombie' })
    t.match(await childrenOfNow(), { startup: { pid: startupPid }, walreceiver: null }, go)
  }
})

t.test('and a new one is found with the next request', async t => {
  const { childrenOfNow, processes, postmaster, bear, evidence } = await setUp()
  processes.remove(receiverPid)
  postmaster.children = [101, 102, 103]
  t.match(await childrenOfNow(), { walreceiver: null })
  bear(120, 'postgres: walreceiver \0')
  const read = processes.titlesRead()
  t.match(await childrenOfNow(), { walreceiver: { pid: 120, title: 'postgres: walreceiver' } })
  t.equal(processes.titlesRead() - read, 5, 'those who were known before are not asked')
  processes.add({ pid: 120, started: 90, commandLine: 'postgres: walreceiver streaming 0/7\0' })
  t.match(await childrenOfNow(evidence), { walreceiver: { title: /streaming 0\/7$/ } })
})

t.test('one without a title yet is met again', async t => {
  const { childrenOfNow, processes, bear } = await setUp(standbyTitles.slice(0, 3))
  processes.setNow(94)
  bear(120, 'postgres\0-D\0/pgdata\0')
  t.match(await childrenOfNow(), { walreceiver: null })
  for (const commandLine of ['postgs: walrec', 'postgres: walrec\0', '']) {
    processes.add({ pid: 120, started: 90, commandLine })
    t.match(await childrenOfNow(), { walreceiver: null }, JSON.stringify(commandLine))
  }
  processes.add({ pid: 120, started: 90, commandLine: 'postgres: walreceiver \0' })
  t.match(await childrenOfNow(), { walreceiver: { pid: 120 } })
})

t.test('a pid may be given to another process', async t => {
  const { childrenOfNow, processes, bear } = await setUp(standbyTitles.slice(0, 3))
  bear(120, 'postgres: me db [local] idle\0')
  t.match(await childrenOfNow(), { walreceiver: null })
  processes.add({ pid: 120, started: 95, commandLine: 'postgres: walreceiver \0' })
  t.match(await childrenOfNow(), { walreceiver: { pid: 120 } })
})

t.test('a background worker is no receiver, and is known from then on', async t => {
  const { childrenOfNow, processes, bear } = await setUp(standbyTitles.slice(0, 3))
  bear(120, 'postgres: pg_cron launcher \0')
  await childrenOfNow()
  const read = processes.titlesRead()
  await childrenOfNow()
  t.equal(processes.titlesRead() - read, 2, 'the startup process and the postmaster alone')
})

t.test('nor is a child that never gets a title, or is not of PostgreSQL', async t => {
  for (const [commandLine, reads] of [
    ['postgres\0-D\0/pgdata\0', 3],
    ['sleep\x0060\0', 2],
  ] as const) {
    const { childrenOfNow, processes, bear } = await setUp(standbyTitles.slice(0, 3))
    bear(120, commandLine)
    t.match(await childrenOfNow(), { walreceiver: null })
    const read = processes.titlesRead()
    t.match(await childrenOfNow(), { walreceiver: null })
    t.equal(processes.titlesRead() - read, reads, JSON.stringify(commandLine))
  }
})

t.test('a startup process that has ended is gone', async t => {
  const { childrenOfNow, processes } = await setUp()
  processes.remove(startupPid)
  t.match(await childrenOfNow(), { startup: null, walreceiver: { pid: receiverPid } })
})

t.test('after a restart the processes of before count no more', async t => {
  const { asOfNow, evidence, childrenOfNow, processes } = await setUp()
  await childrenOfNow()
  addPostmaster(processes, { pid: 200, inode: '1:2', titles: [startup, 'checkpointer'] })
  for (const each of [startupPid, receiverPid]) processes.remove(each)
  const { children } = evidence
  if (children.kind !== 'present' || children.startup === null) throw new Error('no standby')
  const restarted: Evidence = {
    ...evidence,
    lockFile: seen(lockFile({ pid: 200 as Pid })),
    children: {
      ...children,
      startup: { ...children.startup, pid: 201 as Pid },
      walreceiver: null,
    },
  }
  t.match((await asOfNow(restarted)).children, { startup: { pid: 201 }, walreceiver: null })
})

t.test('a server that is no standby is not read, nor one that is not visible', async t => {
  const { asOfNow, evidence, processes } = await setUp()
  const read = processes.titlesRead()
  for (const same of [
    primaryEvidence(),
    { ...evidence, lockFile: { kind: 'absent' } } as const,
    { ...evidence, postmaster: { kind: 'gone' } } as const,
    { ...evidence, children: { kind: 'invisible' } } as const,
  ]) {
    t.equal(await asOfNow(same), same)
  }
  t.equal(processes.titlesRead(), read)
})

t.test('children that cannot be listed any more are invisible', async t => {
  const { childrenOfNow, processes, postmaster } = await setUp()
  processes.remove(receiverPid)
  postmaster.children = null
  t.strictSame(await childrenOfNow(), { kind: 'invisible' })
})

t.test('requests meanwhile share the reading, and none waits for ever', async t => {
  const hung = deferred<string>()
  let reads = 0
  const { asOfNow, evidence, advance, pending, bear } = await setUp(standbyTitles, table => ({
    ...table,
    commandLine: () => {
      reads += 1
      return hung.promise
    },
  }))
  const [one, other] = [asOfNow(evidence), asOfNow(evidence)]
  advance(1000)
  t.match([await one, await other], [{ children: { kind: 'invisible' } }, {}])
  t.equal(reads, 1, 'one title at a time')
  const otherServer = asOfNow({ ...evidence, lockFile: seen(lockFile({ pid: 300 as Pid })) })
  t.equal(reads, 2, 'another server does not wait for it')
  bear(120, 'postgres: walreceiver \0')
  hung.resolve(`postgres: ${startup}\0`)
  t.match((await otherServer).children, { kind: 'present' })
  await settle()
  t.equal(pending(), 0)
})

t.test('without descriptors they are hidden, and requests are not affected', async t => {
  let short = true
  const { childrenOfNow } = await setUp(standbyTitles, table => ({
    ...table,
    commandLine: pid => {
      const failure = Object.assign(new Error('too many open files'), { code: 'EMFILE' })
      return short ? Promise.reject(failure) : table.commandLine(pid)
    },
  }))
  t.strictSame(await childrenOfNow(), { kind: 'invisible' })
  short = false
  t.match(await childrenOfNow(), { kind: 'present', startup: { pid: startupPid } })
})
