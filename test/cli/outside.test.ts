import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { LookOptions } from '../../src/cli/option-values.ts'
import { systemOutside } from '../../src/cli/outside.ts'
import { systemClock } from '../../src/observe/clock.ts'
import { primaryEvidence } from '../harness/evidence.ts'
import { deferred } from '../harness/manual-clock.ts'
import { forgeDataDirectory, makeServerFolder } from '../harness/stand-in.ts'
import { within } from '../harness/until.ts'

const optionsFor = (pgdata: string, changes: Partial<LookOptions> = {}): LookOptions => ({
  pgdata,
  controlCheck: 'native',
  pgControldata: null,
  ...changes,
})

t.test('the clock is the one of the system', async t => {
  t.equal(systemOutside({}, 1).clock, systemClock)
})

t.test('a probe looks at the files of the directory it is opened for', async t => {
  const pgdata = forgeDataDirectory(t)
  const probe = systemOutside({}, 1).openProbe(optionsFor(pgdata))
  t.teardown(probe.close)
  t.match(await probe.look(), {
    evidence: {
      path: pgdata,
      controlCheck: 'native',
      directory: { kind: 'seen', version: '16' },
      lockFile: { kind: 'absent' },
      controlFile: { kind: 'seen', fact: { state: 'in production' } },
    },
  })
})

t.test('titles are asked for where there is a standby', async t => {
  const { asOfNow } = systemOutside({}, 1).openTitles()
  const primary = primaryEvidence()
  t.equal(await asOfNow(primary), primary)
})

t.test('commands have our environment', async t => {
  const heard = deferred<string>()
  const ended = deferred<void>()
  systemOutside({ OURS: 'ours' }, 1).startShellCommand('echo "$OURS $ROLE"', {
    variables: { ROLE: 'primary' },
    line: heard.resolve,
    ended: () => ended.resolve(),
  })
  t.equal(await within(heard.promise, { what: 'the command', limitMs: 30_000 }), 'ours primary')
  await ended.promise
})

t.test('a maintenance file is one of the disk', async t => {
  const path = join(t.testdir({ maintenance: 'new kernel\n' }), 'maintenance')
  t.strictSame(await systemOutside({}, 1).readMaintenance(path), {
    kind: 'drained',
    because: 'new kernel',
  })
})

t.test('pg_controldata is looked for in the PATH of the environment', async t => {
  const folder = makeServerFolder(t)
  const program = join(folder, 'pg_controldata')
  writeFileSync(program, '#!/bin/sh\necho "found you" >&2\nexit 1\n')
  chmodSync(program, 0o755)
  const pgdata = forgeDataDirectory(t)
  writeFileSync(join(pgdata, 'PG_VERSION'), '0\n', { mode: 0o644 })
  const look = async (options: Partial<LookOptions>, PATH: string) => {
    const outside = systemOutside({ PATH }, 1)
    const probe = outside.openProbe(
      optionsFor(pgdata, { controlCheck: 'pg_controldata', ...options }),
    )
    t.teardown(probe.close)
    return (await probe.look())?.evidence.controlFile
  }
  const failed = { fault: { fault: { message: 'found you' } } }
  t.match(await look({}, folder), failed)
  t.match(await look({ pgControldata: program }, ''), failed, 'unless one is named')
})

t.test('a watcher tells when it is ready, and then what happens', async t => {
  const pgdata = forgeDataDirectory(t)
  const armed = deferred<void>()
  const hinted = deferred<string>()
  const { openProbe, watch } = systemOutside({}, 1)
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
    directoryInode: directory?.kind === 'seen' ? directory.inode : null,
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
  const outside = systemOutside(environment, 42)
  t.strictSame(outside.sockets, { ok: true, fact: [3] })
  t.type(outside.notify, 'function')
  t.strictSame(systemOutside(environment, 43).sockets, { ok: true, fact: [] })
  t.equal(systemOutside({}, 42).notify, null)
})
