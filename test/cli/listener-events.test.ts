import t from 'tap'
import { createListenerReport } from '../../src/cli/listener-events.ts'
import type { Event } from '../../src/facts/event.ts'

const on = { address: null, port: 5400 }
const reported = (event: Parameters<ReturnType<typeof createListenerReport>>[0]) => {
  const events: Event[] = []
  createListenerReport(told => {
    events.push(told)
  })(event)
  return events
}

t.test('a connect lost to a limit is told with the limit', async t => {
  t.strictSame(reported({ kind: 'connects dropped', on, connectionsMax: 4096 }), [
    { kind: 'connects lost', port: 5400, because: 'more than 4096 at once' },
  ])
  t.strictSame(reported({ kind: 'accept failed', on, code: 'EMFILE' }), [
    { kind: 'connects lost', port: 5400, because: 'accept failed (EMFILE)' },
  ])
})

t.test('somebody who may not ask is told by address', async t => {
  const refused = { kind: 'connects refused', from: '::ffff:192.0.2.1', refused: 3 } as const
  t.strictSame(reported({ ...refused, on }), [{ ...refused, port: 5400 }])
})

t.test('a port that somebody has taken is told, and when it is ours again', async t => {
  t.match(reported({ kind: 'listener blocked', fault: { kind: 'port in use', ...on } }), [
    { kind: 'port blocked', because: /^port 5400 is in use/ },
  ])
  t.strictSame(reported({ kind: 'listener up', bound: { address: '::', port: 5400 } }), [
    { kind: 'listening', address: '::', port: 5400 },
  ])
})
