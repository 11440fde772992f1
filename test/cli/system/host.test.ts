import { chmodSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import type { CheckOptions } from '../../../src/cli/options/option-values.ts'
import { findOwnNames, ownNamesFrom, systemHost } from '../../../src/cli/system/host.ts'
import { fault } from '../../../src/facts/outcome.ts'
import { systemClock } from '../../../src/observe/system/clock.ts'
import { primaryEvidence } from '../../harness/evidence.ts'
import { freePort } from '../../harness/free-port.ts'
import { deferred } from '../../harness/manual-clock.ts'
import { forgeDataDirectory, makeServerFolder } from '../../harness/stand-in.ts'
import { within } from '../../harness/until.ts'

const optionsFor = (pgdata: string, changes: Partial<CheckOptions> = {}): CheckOptions => ({
  pgdata,
  controlCheck: 'native',
  pgControldata: null,
  ...changes,
})

t.test('the clock is the one of the system', async t => {
  t.equal(systemHost({}, 1).clock, systemClock)
})

t.test('a probe reads the files of the directory it is opened for', async t => {
  const pgdata = forgeDataDirectory(t)
  const probe = systemHost({}, 1).openProbe(optionsFor(pgdata))
  t.teardown(probe.close)
  t.match(await probe.look(), {
    evidence: {
      path: pgdata,
      controlCheck: 'native',
      directory: { kind: 'present', version: '16' },
      lockFile: { kind: 'absent' },
      controlFile: { kind: 'present', fact: { state: 'in production' } },
    },
  })
})

t.test('titles are asked for where there is a standby', async t => {
  const { asOfNow } = systemHost({}, 1).openTitles()
  const primary = primaryEvidence()
  t.equal(await asOfNow(primary), primary)
})

t.test('each cluster of each daemon has a name of its own', async t => {
  const { newInstance } = systemHost({}, 1)
  const names = [newInstance(), newInstance(), systemHost({}, 2).newInstance()]
  t.equal(new Set(names).size, 3)
  for (const name of names) t.match(name, /^[\w-]{10,64}$/)
})

t.test('the position in the log is that of the directory', async t => {
  const { asOfNow } = systemHost({}, 1).openWalPositions()
  t.equal(await asOfNow(primaryEvidence({ path: t.testdir() })), null)
})

t.test('peers are asked over HTTP', async t => {
  const ask = systemHost({}, 1).openPeerClient(() => null)
  const port = await freePort()
  const peer = { text: `127.0.0.1:${port}`, secure: false, host: '127.0.0.1', port }
  t.strictSame(await ask(peer, 1000).answer, fault('ECONNREFUSED'))
})

t.test('so is a daemon for its cluster', async t => {
  const ask = systemHost({}, 1).openClusterClient()
  const port = await freePort()
  const target = { text: `127.0.0.1:${port}`, secure: false, host: '127.0.0.1', port }
  t.strictSame(await ask(target, 1000).answer, fault('ECONNREFUSED'))
})

t.test('and for its history', async t => {
  const ask = systemHost({}, 1).openHistoryClient()
  const port = await freePort()
  const target = { text: `127.0.0.1:${port}`, secure: false, host: '127.0.0.1', port }
  t.strictSame(await ask(target, 1000).answer, fault('ECONNREFUSED'))
})

t.test('there is no daemon for a directory that none watches', async t => {
  t.equal(await systemHost({}, 1).findDaemon(t.testdir(), process.geteuid?.() ?? -1), null)
})

t.test('the name of the host is without a domain', async t => {
  t.equal(systemHost({}, 1).name, hostname().split('.')[0])
})

t.test('commands have our environment', async t => {
  const heard = deferred<string>()
  const ended = deferred<void>()
  systemHost({ HOME: 'ours' }, 1).startShellCommand('echo "$HOME $ROLE"', {
    variables: { ROLE: 'primary' },
    line: heard.resolve,
    ended: () => ended.resolve(),
  })
  t.equal(await within(heard.promise, { what: 'the command', limitMs: 30_000 }), 'ours primary')
  await ended.promise
})

t.test('a maintenance file is one of the disk', async t => {
  const path = join(t.testdir({ maintenance: 'new kernel\n' }), 'maintenance')
  t.strictSame(await systemHost({}, 1).readMaintenance(path), {
    kind: 'on',
    because: 'new kernel',
  })
})

t.test('pg_controldata is searched in the PATH of the environment', async t => {
  const folder = makeServerFolder(t)
  const program = join(folder, 'pg_controldata')
  writeFileSync(program, '#!/bin/sh\necho "found you" >&2\nexit 1\n')
  chmodSync(program, 0o755)
  const pgdata = forgeDataDirectory(t)
  writeFileSync(join(pgdata, 'PG_VERSION'), '0\n', { mode: 0o644 })
  const look = async (options: Partial<CheckOptions>, PATH: string) => {
    const host = systemHost({ PATH }, 1)
    const probe = host.openProbe(optionsFor(pgdata, { controlCheck: 'pg_controldata', ...options }))
    t.teardown(probe.close)
    return (await probe.look())?.evidence.controlFile
  }
  const failed = { fault: { fault: { message: 'found you' } } }
  t.match(await look({}, folder), failed)
  t.match(await look({ pgControldata: program }, ''), failed, 'unless one is named')
})

t.test('a watcher reports when it is ready, and then each event', async t => {
  const pgdata = forgeDataDirectory(t)
  const armed = deferred<void>()
  const hinted = deferred<string>()
  const { openProbe, watch } = systemHost({}, 1)
  const probe = openProbe(optionsFor(pgdata))
  t.teardown(probe.close)
  const looked = await probe.look()
  const watcher = watch({
    hint: hinted.resolve,
    armed: armed.resolve,
    trouble: trouble => t.fail('the watcher is in trouble', trouble),
  })
  t.teardown(watcher.close)
  const { directory } = looked?.evidence ?? {}
  watcher.aim({
    directory: pgdata,
    directoryInode: directory?.kind === 'present' ? directory.inode : null,
    controlFileInode: looked?.controlFileInode ?? null,
    isSymlink: false,
  })
  await within(armed.promise, { what: 'the watcher', limitMs: 30_000 })
  writeFileSync(join(pgdata, 'standby.signal'), '')
  const name = await within(hinted.promise, { what: 'a hint', limitMs: 30_000 })
  t.match(name, 'standby.signal')
})

t.test('what systemd gave us is for the process it names', async t => {
  const environment = { LISTEN_PID: '42', LISTEN_FDS: '1', NOTIFY_SOCKET: '/run/x' }
  const host = systemHost(environment, 42)
  t.strictSame(host.sockets, { ok: true, fact: [3] })
  t.type(host.notify, 'function')
  t.strictSame(systemHost(environment, 43).sockets, { ok: true, fact: [] })
  t.equal(systemHost({}, 42).notify, null)
})

t.test('a host is known below the domains in which its resolver searches', async t => {
  const resolver = '# search no.example\nnameserver 192.0.2.1\n search  Example.COM\texample.net.\n'
  t.strictSame(ownNamesFrom('DB1', resolver), ['db1', 'db1.example.com', 'db1.example.net'])
  t.strictSame(ownNamesFrom('db1', 'domain example.com\n'), ['db1', 'db1.example.com'])
  t.strictSame(ownNamesFrom('db1', 'search .\nsearch\nsearchx y\n'), ['db1'])
})

t.test('one that is called by its whole name is known by that', async t => {
  t.strictSame(ownNamesFrom('db1.example.com', ''), ['db1.example.com'])
  t.strictSame(ownNamesFrom('db1.a.example', 'search b.example'), [
    'db1.a.example',
    'db1.b.example',
  ])
})

t.test('it is that of this machine, with or without a resolver', async t => {
  const own = hostname().toLowerCase()
  t.equal((await findOwnNames())[0], own)
  const paths: string[] = []
  const [first, second] = await findOwnNames(async path => {
    paths.push(path)
    return 'search example.com'
  })
  t.strictSame([first, second], [own, `${own.split('.')[0]}.example.com`])
  t.strictSame(paths, ['/etc/resolv.conf'])
  t.strictSame(await findOwnNames(() => Promise.reject(new Error('ENOENT'))), [own])
})
