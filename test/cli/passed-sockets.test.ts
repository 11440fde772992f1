import t from 'tap'
import { passedSockets } from '../../src/cli/passed-sockets.ts'

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

t.test('a count that is none is told with what was wanted', async t => {
  for (const count of ['', '-1', '65', '1e1', 'x']) {
    t.match(passedSockets({ LISTEN_PID: '42', LISTEN_FDS: count }, 42), {
      ok: false,
      fault: {
        message: `LISTEN_FDS is "${count}", wanted a whole number from 0 to 64`,
        hint: /sd_listen_fds/,
      },
    })
  }
  t.match(passedSockets({ LISTEN_PID: '42' }, 42), { ok: false })
})
