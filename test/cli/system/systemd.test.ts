import { chmodSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import {
  passedSockets,
  systemdNotify,
  type Notification,
  type Notify,
} from '../../../src/cli/system/systemd.ts'

/** As if systemd-notify did this. */
const notifyWith = (t: Test, script: string, limitMs?: number): Notify => {
  const folder = t.testdir()
  const program = join(folder, 'systemd-notify')
  writeFileSync(program, `#!/bin/sh\n${script}\n`)
  chmodSync(program, 0o755)
  const notify = systemdNotify({ PATH: folder, NOTIFY_SOCKET: '/run/x', OTHER: 'y' }, 42, limitMs)
  if (notify === null) throw new Error('systemd wants to know')
  return notify
}

const ready = (statusLine: string): Notification => ({ kind: 'ready', statusLine })

t.test('no notification is sent if none is expected', async t => {
  t.equal(systemdNotify({}, 42), null)
  t.equal(systemdNotify({ NOTIFY_SOCKET: '' }, 42), null)
})

t.test('systemd is notified by its own program', async t => {
  const notify = notifyWith(t, 'echo "$NOTIFY_SOCKET$OTHER" "$@" >&2; exit 1')
  const args = '--pid=42 --ready --status=primary: it is so'
  t.equal(await notify(ready('primary: it is so')), `/run/x ${args}`)
})

t.test('a reload is sent with the time of the clock that systemd uses', async t => {
  const notify = notifyWith(t, 'echo "$@" >&2; exit 1')
  const monotonicUs = (): number => Number(process.hrtime.bigint() / 1000n)
  const before = monotonicUs()
  const said = (await notify({ kind: 'reloading' })) ?? ''
  const [, us] = /^--pid=42 RELOADING=1 MONOTONIC_USEC=(\d+)$/.exec(said) ?? []
  t.ok(Number(us) >= before && Number(us) <= monotonicUs(), said)
})

t.test('a successful notification leaves nothing to report', async t => {
  t.equal(await notifyWith(t, 'echo a warning >&2')(ready('standby: x')), null)
})

t.test('a failure is a value, whatever it was', async t => {
  t.equal(await notifyWith(t, 'exit 7')(ready('x')), 'systemd-notify failed with exit code 7')
  t.equal(await notifyWith(t, 'kill -9 $$')(ready('x')), 'systemd-notify failed with SIGKILL')
  const nowhere = systemdNotify({ PATH: t.testdir(), NOTIFY_SOCKET: '/run/x' }, 42)
  t.equal(await nowhere?.(ready('x')), 'could not run systemd-notify: ENOENT')
  const hanging = notifyWith(t, 'exec /bin/sleep 60', 100)
  t.equal(await hanging(ready('x')), 'systemd-notify did not end within 100 ms')
  const impossible = systemdNotify({ NOTIFY_SOCKET: '/run/x' }, 42)
  t.match(await impossible?.(ready('\0')), /ERR_INVALID_ARG_VALUE|null bytes/)
})

t.test('sockets are numbered from 3 on', async t => {
  const passed = (count: string) => passedSockets({ LISTEN_PID: '42', LISTEN_FDS: count }, 42)
  t.strictSame(passed('1'), { ok: true, fact: [3] })
  t.strictSame(passed('3'), { ok: true, fact: [3, 4, 5] })
  t.strictSame(passed('0'), { ok: true, fact: [] })
})

t.test('what was meant for another process is none of ours', async t => {
  t.strictSame(passedSockets({}, 42), { ok: true, fact: [] })
  t.strictSame(passedSockets({ LISTEN_FDS: '1' }, 42), { ok: true, fact: [] })
  const inherited = { LISTEN_PID: '41', LISTEN_FDS: '1' }
  t.strictSame(passedSockets(inherited, 42), { ok: true, fact: [] })
})

t.test('an invalid count is reported with what it must be', async t => {
  for (const count of ['', '-1', '65', '1e1', 'x']) {
    t.match(passedSockets({ LISTEN_PID: '42', LISTEN_FDS: count }, 42), {
      ok: false,
      fault: {
        message: `LISTEN_FDS must be a whole number from 0 to 64, but is "${count}"`,
        hint: /sd_listen_fds/,
      },
    })
  }
  t.match(passedSockets({ LISTEN_PID: '42' }, 42), { ok: false })
})
