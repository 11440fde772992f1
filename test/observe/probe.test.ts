import { cpSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import t from 'tap'
import type { ControlCheck } from '../../src/facts/decide/evidence.ts'
import { decide } from '../../src/facts/decide/verdict.ts'
import { createControlSource } from '../../src/observe/files/control-source.ts'
import { openDataDirectory, type DataDirectory } from '../../src/observe/files/data-directory.ts'
import { createProbe } from '../../src/observe/probe.ts'
import { noVitalSigns, takePulse } from '../../src/observe/processes/liveness.ts'
import { forgeControlFile, layoutOfVersion } from '../harness/control-file-builder.ts'
import { addPostmaster, fakeProcesses } from '../harness/fake-processes.ts'
import { fakeFreezer } from '../harness/fake-freezer.ts'
import { createManualClock, settle } from '../harness/manual-clock.ts'
import { playStory, story } from '../harness/simulated-looks.ts'
import { shortageCodes, systemFailure } from '../harness/system-failure.ts'

/** What t.testdir makes a directory of. */
type TestFiles = {
  [name: string]: string | Buffer | ReturnType<typeof t.fixture<'symlink'>> | TestFiles
}

const pid = 4711
const layout = layoutOfVersion('15')
const lockFileText = (status: string, id = 7) =>
  [pid, '/pgdata', 1_767_265_200, 5432, '', 'localhost', ` 1234 ${id}`, status, ''].join('\n')

const primaryTitles = ['checkpointer', 'background writer', 'walwriter']
const standbyTitles = ['startup recovering 000000010000000000000003', 'checkpointer']

/** A data directory on disk with a made-up server, and a probe that looks at them. */
const setUp = (
  options: {
    controlCheck?: ControlCheck
    visible?: boolean
    titles?: readonly string[]
    files?: TestFiles
    wrap?: (directory: DataDirectory) => DataDirectory
  } = {},
) => {
  const { controlCheck = 'native', visible = true, titles = primaryTitles, files = {} } = options
  const path = t.testdir({
    PG_VERSION: '15\n',
    'postmaster.pid': lockFileText('ready   '),
    global: { pg_control: Buffer.from(forgeControlFile(layout)) },
    ...files,
  })
  const { dev, ino } = statSync(path)
  const processes = fakeProcesses({ visible })
  const postmaster = addPostmaster(processes, { pid, inode: `${dev}:${ino}`, titles })
  const manual = createManualClock()
  const { clock } = manual
  const opened = openDataDirectory(path, clock)
  const directory = options.wrap?.(opened) ?? opened
  const program = { run: () => Promise.reject(new Error('not asked')) }
  const control = createControlSource(controlCheck, { directory, program, timers: clock })
  const group = fakeFreezer()
  const { freezer } = group
  const { table } = processes
  const probe = createProbe({ controlCheck, directory, processes: table, freezer, control, clock })
  let written = 0
  const write = (status: string, id = 7): void => {
    const lockFile = join(path, 'postmaster.pid')
    writeFileSync(lockFile, lockFileText(status, id))
    written += 1
    utimesSync(lockFile, 1_767_265_300, 1_767_265_300 + written)
  }
  const look = async () => {
    const looked = await probe.look()
    if (looked === null) throw new Error('a void look')
    return { ...looked, verdict: decide(looked.evidence) }
  }
  const inProduction = () =>
    writeFileSync(join(path, 'global', 'pg_control'), forgeControlFile(layout))
  return { path, processes, postmaster, group, probe, look, write, inProduction, ...manual }
}

t.test('a primary in good health is seen as one, with its vital signs', async t => {
  const { look, path } = setUp()
  const { evidence, verdict, vitals, controlFileInode } = await look()
  t.match(verdict, { kind: 'available', role: 'primary' })
  t.match(evidence, {
    path,
    postmaster: { kind: 'alive', how: 'working directory' },
    controlFile: { fact: { state: 'in production' } },
    crashRestart: false,
  })
  t.equal(vitals.postmaster?.pid, pid)
  t.equal(vitals.checkpointer?.pid, pid + 1)
  const { dev, ino } = statSync(join(path, 'global', 'pg_control'))
  t.equal(controlFileInode, `${dev}:${ino}`)
})

t.test('so is a standby', async t => {
  const controlFile = Buffer.from(forgeControlFile(layout, { state: 'in archive recovery' }))
  const { look, write } = setUp({
    titles: standbyTitles,
    files: { 'standby.signal': '', global: { pg_control: controlFile } },
  })
  write('ready   ')
  t.match((await look()).verdict, { kind: 'available', role: 'standby' })
})

t.test('nothing is asked of processes when there is no lock file', async t => {
  const { look, path } = setUp()
  rmSync(join(path, 'postmaster.pid'))
  const { evidence, vitals } = await look()
  t.match(evidence, {
    lockFile: { kind: 'absent' },
    postmaster: { kind: 'not checked' },
    children: { kind: 'not checked' },
  })
  t.strictSame(vitals, noVitalSigns)
})

t.test('a directory that vanishes and comes back is seen to', async t => {
  const { look, path } = setUp()
  renameSync(path, `${path}.away`)
  t.match((await look()).verdict, { rule: 'no data directory' })
  renameSync(`${path}.away`, path)
  t.match((await look()).verdict, { role: 'primary' })
})

t.test('a postmaster that is gone, a zombie, hidden or stopped is distinguished', async t => {
  const { look, postmaster, processes } = setUp()
  postmaster.state = 'stopped'
  t.match((await look()).evidence.postmaster, { kind: 'stopped', by: 'signal' })
  postmaster.state = 'zombie'
  t.match((await look()).evidence.postmaster, { kind: 'zombie' })
  processes.remove(pid)
  t.match((await look()).evidence.postmaster, { kind: 'gone' })
})

t.test('a process that exits during its identification is gone', async t => {
  const { look, processes, postmaster } = setUp()
  const { table } = processes
  const asked = table.program
  Object.assign(table, {
    program: (of: Parameters<typeof asked>[0]) => {
      postmaster.state = 'zombie'
      return asked(of)
    },
  })
  t.match((await look()).evidence.postmaster, { kind: 'gone' })
})

t.test('another process is identified as such, and checked again next time', async t => {
  const { look, postmaster } = setUp()
  const { workingDirectory = null } = postmaster
  postmaster.workingDirectory = '9:9'
  const { verdict, vitals } = await look()
  t.match(verdict, { rule: 'not the postmaster' })
  t.equal(vitals.postmaster, null)
  postmaster.workingDirectory = workingDirectory
  t.match((await look()).verdict, { role: 'primary' })
})

t.test('an identified process is not identified again', async t => {
  const { look, postmaster } = setUp()
  await look()
  postmaster.workingDirectory = '9:9'
  t.match((await look()).verdict, { role: 'primary' })
})

t.test('a tracer counts only when it stays', async t => {
  const { look, postmaster, advance } = setUp()
  postmaster.state = 'traced'
  t.match((await look()).verdict, { role: 'primary' })
  advance(999)
  t.match((await look()).verdict, { role: 'primary' })
  advance(1)
  t.match((await look()).evidence.postmaster, { kind: 'stopped', by: 'tracer' })
  postmaster.state = 'running'
  t.match((await look()).verdict, { role: 'primary' })
  postmaster.state = 'traced'
  t.match((await look()).verdict, { role: 'primary' }, 'another tracer has a second of its own')
})

t.test('a frozen postmaster is stopped, also between two checks', async t => {
  const { look, group, probe } = setUp()
  let changes = 0
  probe.watchFreezer(() => {
    changes += 1
  })
  const { vitals } = await look()
  t.match(takePulse(vitals), { kind: 'steady' })
  group.freeze()
  t.equal(changes, 1)
  t.match(takePulse(vitals), { kind: 'lost' })
  const frozen = await look()
  t.match(frozen.evidence.postmaster, { kind: 'stopped', by: 'freezer' })
  t.strictSame(frozen.vitals, noVitalSigns)
  group.thaw()
  t.match((await look()).verdict, { role: 'primary' })
  probe.close()
  t.notOk(group.isOpen(), 'it is closed with the probe')
})

t.test('without /proc signal 0 is all there is', async t => {
  const { look, processes } = setUp({ visible: false })
  t.match((await look()).evidence, {
    postmaster: { kind: 'signal 0' },
    children: { kind: 'invisible' },
  })
  processes.remove(pid)
  t.match((await look()).evidence.postmaster, { kind: 'gone' })
})

t.test('with the control file off, signal files decide', async t => {
  const { look, path } = setUp({ controlCheck: 'off' })
  t.match((await look()).verdict, { role: 'primary', rule: 'no recovery requested' })
  writeFileSync(join(path, 'standby.signal'), '')
  t.match((await look()).verdict, { rule: 'signal files contradicted' })
})

t.test('children of a postmaster found running are counted twice, and no more', async t => {
  const { look, processes } = setUp()
  t.match((await look()).evidence, {
    crashRestart: false,
    children: { startup: null },
  })
  await look()
  const counted = processes.counts()
  t.equal(counted, 2)
  await look()
  await look()
  t.equal(processes.counts(), counted)
})

t.test('a crash restart may be under way: they are counted until it is over', async t => {
  const { look, write, processes, postmaster } = setUp({ titles: ['startup', 'checkpointer'] })
  write('ready   ')
  Object.assign(postmaster, { started: -1000 })
  for (let looks = 1; looks <= 4; looks += 1) {
    t.match((await look()).verdict, { rule: 'crash restart' })
    t.equal(processes.counts(), looks)
  }
  const add = (number: number, title: string): void => {
    processes.add({ pid: number, commandLine: `postgres: ${title}`, started: 9000 })
    postmaster.children = [...(postmaster.children ?? []), number]
  }
  add(4714, 'walreceiver streaming 0/3000148')
  t.match((await look()).verdict, { rule: 'crash restart' }, 'a WAL receiver proves nothing')
  add(4715, 'me db [local] idle')
  t.match((await look()).evidence, {
    crashRestart: false,
    children: { walreceiver: { pid: 4714 }, session: { pid: 4715 } },
  })
  const counted = processes.counts()
  await look()
  t.equal(processes.counts(), counted)
})

t.test('a standby without WAL receiver is accepted when its startup process is idle', async t => {
  const controlFile = Buffer.from(forgeControlFile(layout, { state: 'in archive recovery' }))
  const { look, write, processes, postmaster, advance } = setUp({
    titles: standbyTitles,
    files: { global: { pg_control: controlFile } },
  })
  write('ready   ')
  Object.assign(postmaster, { started: -1000 })
  processes.setNow(1000)
  const [startup = 0] = postmaster.children ?? []
  const rest = (sleeping: boolean, contextSwitches: number): void => {
    const commandLine = `postgres: ${standbyTitles[0]}`
    processes.add({
      pid: startup,
      started: 1,
      commandLine,
      activity: { sleeping, contextSwitches },
    })
  }
  rest(true, 5)
  t.match((await look()).verdict, { rule: 'crash restart' })
  advance(499)
  t.match((await look()).verdict, { rule: 'crash restart' })
  rest(true, 6)
  advance(400)
  t.match((await look()).verdict, { rule: 'crash restart' }, 'it has run')
  advance(500)
  t.match((await look()).verdict, { role: 'standby' })
  rest(true, 7)
  t.match((await look()).verdict, { role: 'standby' }, 'and is not doubted again')
})

t.test('a promotion during which the probe was started is not mistaken for a crash', async t => {
  const controlFile = Buffer.from(forgeControlFile(layout, { state: 'in archive recovery' }))
  const { look, write, processes, postmaster, inProduction } = setUp({
    titles: standbyTitles,
    files: { global: { pg_control: controlFile } },
  })
  write('ready   ')
  t.match((await look()).verdict, { role: 'standby' })
  inProduction()
  const [startup = 0, ...others] = postmaster.children ?? []
  processes.remove(startup)
  processes.add({ pid: 4720, started: 1, commandLine: postmaster.commandLine ?? '' })
  postmaster.children = [...others, 4720]
  t.match((await look()).verdict, { role: 'primary' })
})

t.test('a postmaster hidden in /proc is known by its shared memory', async t => {
  const { look, processes, postmaster, path } = setUp()
  const owner = statSync(path).uid
  const table = (creator: number) =>
    `key shmid perms size cpid lpid nattch uid gid cuid\n1234 7 600 56 ${creator} 1 6 0 0 ${owner}`
  processes.setSharedMemory(table(pid))
  postmaster.hidden = true
  const { verdict, evidence, vitals } = await look()
  t.match(verdict, { role: 'primary' })
  t.match(evidence, {
    postmaster: { kind: 'signal 0', createdSharedMemory: true },
    children: { kind: 'invisible' },
  })
  t.equal(vitals.postmaster?.read() === 'gone', false)
  processes.setSharedMemory(table(1))
  t.match((await look()).verdict, { rule: 'postmaster invisible' })
  processes.setSharedMemory(table(pid))
  postmaster.foreign = true
  t.match((await look()).verdict, { rule: 'postmaster invisible' })
  processes.remove(pid)
  t.equal(vitals.postmaster?.read(), 'gone')
  t.match((await look()).verdict, { rule: 'postmaster gone' })
})

t.test('a server of pg_upgrade is none for clients', async t => {
  const { look, postmaster } = setUp()
  postmaster.commandLine = 'postgres\0-D\0/pgdata\0-b\0'
  t.match((await look()).verdict, { kind: 'unavailable', rule: 'binary upgrade', settled: true })
})

t.test('a crash restart is noticed by the new shared memory id', async t => {
  const { look, write, postmaster, processes, inProduction } = setUp()
  t.match((await look()).verdict, { role: 'primary' })
  write('ready   ', 8)
  const restarting = ['checkpointer', 'background writer', 'startup'].map(
    (title, index) =>
      processes.add({ pid: 5000 + index, started: 900, commandLine: `postgres: ${title} ` }).pid,
  )
  postmaster.children = restarting
  for (const known of [4712, 4713, 4714]) processes.remove(known)
  t.match((await look()).verdict, { rule: 'crash restart' })
  t.match((await look()).verdict, { rule: 'crash restart' })

  t.test('and over when the lock file is written again', async t => {
    write('ready   ', 8)
    inProduction()
    t.match((await look()).verdict, { role: 'primary' })
  })
})

t.test('a startup process missed once is found with the next check', async t => {
  const controlFile = Buffer.from(forgeControlFile(layout, { state: 'in archive recovery' }))
  const { look, write, processes, postmaster } = setUp({
    titles: ['startup recov', 'checkpointer'],
    files: { 'standby.signal': '', global: { pg_control: controlFile } },
  })
  write('ready   ')
  t.match((await look()).verdict, { rule: 'contradiction' })
  const [startup = 0] = postmaster.children ?? []
  processes.add({ pid: startup, started: 1, commandLine: `postgres: ${standbyTitles[0]}` })
  t.match((await look()).verdict, { role: 'standby' })
})

/** A directory in which something happens at each reading of the lock file. */
const meddling =
  (meddle: (reading: number) => void) =>
  (directory: DataDirectory): DataDirectory => {
    let readings = 0
    return {
      ...directory,
      lockFile: () => {
        readings += 1
        meddle(readings)
        return directory.lockFile()
      },
    }
  }

/** Looks while time passes by itself. */
const lookInTime = async ({
  probe,
  advance,
}: Pick<ReturnType<typeof setUp>, 'probe' | 'advance'>) => {
  let done = false
  const looking = probe.look().finally(() => {
    done = true
  })
  while (!done) {
    await settle()
    advance(1)
  }
  return looking
}

t.test('a check during which the lock file changes is repeated', async t => {
  const made: ReturnType<typeof setUp> = setUp({
    wrap: meddling(reading => {
      if (reading === 2) made.write('stopping')
    }),
  })
  t.match((await lookInTime(made))?.evidence.lockFile, { fact: { status: 'stopping' } })
})

t.test('one that keeps changing makes the check void', async t => {
  const made: ReturnType<typeof setUp> = setUp({ wrap: meddling(() => made.write('ready   ')) })
  t.equal(await lookInTime(made), null)
})

t.test('a lock file that appears or disappears during the check makes it void as well', async t => {
  const made: ReturnType<typeof setUp> = setUp({
    wrap: meddling(reading => {
      if (reading % 2 === 0) rmSync(join(made.path, 'postmaster.pid'))
      else made.write('ready   ')
    }),
  })
  t.equal(await lookInTime(made), null)
})

t.test('a half-written status word is read again', async t => {
  const torn: ReturnType<typeof setUp> = setUp()
  torn.write('stoppiny')
  t.match((await lookInTime(torn))?.evidence.lockFile, { fault: { kind: 'mixed status' } })
  torn.write('stopping')
  t.match((await lookInTime(torn))?.evidence.lockFile, { fact: { status: 'stopping' } })
})

t.test('any change makes for new evidence', async t => {
  const { look, write, path, processes, inProduction } = setUp()
  await look()
  const pgControl = join(path, 'global', 'pg_control')
  const changes: readonly (readonly [() => void, object])[] = [
    [() => write('stopping'), { lockFile: { fact: { status: 'stopping' } } }],
    [() => write('ready   '), { lockFile: { fact: { status: 'ready' } } }],
    [
      () =>
        writeFileSync(pgControl, forgeControlFile(layout, { state: 'shutting down' }), {
          flag: 'r+',
        }),
      { controlFile: { fact: { state: 'shutting down' } } },
    ],
    [inProduction, { controlFile: { fact: { state: 'in production' } } }],
    [
      () => writeFileSync(join(path, 'standby.signal'), ''),
      { signalFiles: { standbySignal: true } },
    ],
    [() => rmSync(join(path, 'standby.signal')), { signalFiles: { standbySignal: false } }],
    [() => processes.remove(pid + 1), { children: { checkpointer: null } }],
  ]
  for (const [change, wanted] of changes) {
    change()
    t.match((await look()).evidence, wanted)
  }
})

t.test('a status word rewritten at once and in place is found at the next check', async t => {
  const { look, path } = setUp()
  await look()
  const lockFile = join(path, 'postmaster.pid')
  for (const status of ['stopping', 'ready   ', 'starting', 'standby ']) {
    writeFileSync(lockFile, lockFileText(status), { flag: 'r+' })
    t.match((await look()).evidence.lockFile, { fact: { status: status.trim() } })
  }
})

t.test('a directory that was replaced is checked anew', async t => {
  const { look, path, write } = setUp()
  await look()
  renameSync(path, `${path}.away`)
  cpSync(`${path}.away`, path, { recursive: true })
  t.match((await look()).verdict, { rule: 'not the postmaster' })
  rmSync(path, { recursive: true })
  t.match((await look()).verdict, { rule: 'no data directory' })
  renameSync(`${path}.away`, path)
  write('ready   ')
  t.match((await look()).verdict, { role: 'primary' })
})

t.test('closed, the probe holds no process any more', async t => {
  const { look, probe, processes } = setUp()
  await look()
  t.ok(processes.open() > 0)
  probe.close()
  t.equal(processes.open(), 0)
})

t.test('whatever happens to a server, no check reports a role that serves no client', async t => {
  let answers = 0
  const property = fc.asyncProperty(story, async told => {
    answers += await playStory(told)
  })
  await fc.assert(property, { numRuns: 400 })
  t.ok(answers > 1000, `${answers} answers were given`)
})

t.test('a check in a shortage finds nothing, and the next one everything', async t => {
  for (const code of shortageCodes) {
    const { look, probe, processes } = setUp()
    await look()
    const { table } = processes
    const { open } = table
    processes.add({ pid: 4712, started: 99, commandLine: 'postgres: checkpointer \0' })
    Object.assign(table, {
      open: () => {
        throw systemFailure(code)
      },
    })
    await t.rejects(probe.look(), { code })
    Object.assign(table, { open })
    t.match((await look()).verdict, { kind: 'available', role: 'primary' })
  }
})

t.test('a directory that cannot be read is unknown, while the rest is checked', async t => {
  let short = false
  const { look, probe } = setUp({
    wrap: directory => ({
      ...directory,
      sight: () => (short ? Promise.reject(systemFailure('ENFILE')) : directory.sight()),
      lockFile: () => (short ? Promise.reject(systemFailure('EMFILE')) : directory.lockFile()),
    }),
  })
  await look()
  short = true
  // Both fail, and the process has to survive the failure that nobody waits for.
  await t.rejects(probe.look(), { code: /^E[NM]FILE$/ })
  await settle()
  short = false
  t.match((await look()).verdict, { kind: 'available', role: 'primary' })
})
