import t from 'tap'
import type { Availability } from '../../../src/facts/decide/verdict.ts'
import { makeReplies, wireWords } from '../../../src/serve/role/reply.ts'

const primary: Availability = { kind: 'available', role: 'primary' }
const standby: Availability = { kind: 'available', role: 'standby' }
const unavailable: Availability = { kind: 'unavailable' }
const ways = ['refuse', 'close', 'reply'] as const

const textOf = (reply: ReturnType<ReturnType<typeof makeReplies>>): string | null =>
  reply.kind === 'say' ? Buffer.from(reply.bytes).toString('latin1') : null

t.test('a primary sends the six bytes of bgw_replstatus, a standby the seven', t => {
  for (const whenUnavailable of ways) {
    const replyTo = makeReplies({ newline: false, whenUnavailable })
    t.equal(textOf(replyTo(primary)), 'MASTER')
    t.equal(textOf(replyTo(standby)), 'STANDBY')
    t.match(replyTo(primary), { kind: 'say', means: 'primary', bytes: { length: 6 } })
    t.match(replyTo(standby), { kind: 'say', means: 'standby', bytes: { length: 7 } })
  }
  t.end()
})

t.test('a newline is sent only if configured, and after every word', t => {
  const replyTo = makeReplies({ newline: true, whenUnavailable: 'reply' })
  t.equal(textOf(replyTo(primary)), 'MASTER\n')
  t.equal(textOf(replyTo(standby)), 'STANDBY\n')
  t.equal(textOf(replyTo(unavailable)), 'UNAVAILABLE\n')
  t.end()
})

t.test('without a role, refuse and close send nothing', t => {
  for (const newline of [false, true]) {
    for (const whenUnavailable of ['refuse', 'close'] as const) {
      const replyTo = makeReplies({ newline, whenUnavailable })
      t.strictSame(replyTo(unavailable), { kind: 'silence' })
    }
  }
  t.end()
})

t.test('without a role, reply sends UNAVAILABLE', t => {
  const replyTo = makeReplies({ newline: false, whenUnavailable: 'reply' })
  t.equal(textOf(replyTo(unavailable)), 'UNAVAILABLE')
  t.match(replyTo(unavailable), { means: 'unavailable' })
  t.end()
})

t.test('no word contains another, so that a substring match cannot be wrong', t => {
  const words = Object.values(wireWords)
  for (const word of words) {
    for (const other of words) t.equal(word.includes(other), word === other, `${word} ${other}`)
  }
  t.end()
})

t.test('replies are made once, not for each connection', t => {
  const replyTo = makeReplies({ newline: false, whenUnavailable: 'reply' })
  for (const availability of [primary, standby, unavailable]) {
    t.equal(replyTo(availability), replyTo({ ...availability }))
  }
  t.end()
})
