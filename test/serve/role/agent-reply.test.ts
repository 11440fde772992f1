import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import type { WantedRole } from '../../../src/facts/decide/verdict.ts'
import {
  makeAgentReplies,
  type AgentLag,
  type Judgement,
} from '../../../src/serve/role/agent-reply.ts'
import { anyText } from '../../harness/foreign-text.ts'

const primary: Judgement = { kind: 'available', role: 'primary', because: 'it is ready' }
const standby: Judgement = { kind: 'available', role: 'standby', because: 'it is ready' }
const down = (because: string): Judgement => ({ kind: 'unavailable', because })

const line = (upFor: WantedRole, judgement: Judgement, lag?: AgentLag): string => {
  const reply = makeAgentReplies(upFor)(judgement, lag)
  return reply.kind === 'say' ? Buffer.from(reply.bytes).toString('latin1') : ''
}

t.test('a server with the role is up, and no other', async t => {
  t.equal(line('primary', primary), 'up\n')
  t.equal(line('primary', standby), 'down #standby\n')
  t.equal(line('standby', primary), 'down #primary\n')
  t.equal(line('standby', standby), 'up\n')
  t.equal(line('any', primary), 'up\n')
  t.equal(line('any', standby), 'up\n')
})

t.test('an unavailable server is down, with the reason', async t => {
  for (const upFor of ['primary', 'standby', 'any'] as const) {
    t.equal(line(upFor, down('no server is running')), 'down #no server is running\n')
  }
})

t.test('a standby that is too far behind is down, and so is one with an unknown lag', async t => {
  for (const upFor of ['standby', 'any'] as const) {
    t.equal(line(upFor, standby, { now: 0, max: 0 }), 'up\n')
    t.equal(line(upFor, standby, { now: 1024, max: 1024 }), 'up\n')
    const behind = 'down #standby with a lag of 1025 bytes, more than 1024\n'
    t.equal(line(upFor, standby, { now: 1025, max: 1024 }), behind)
    t.equal(line(upFor, standby, { now: null, max: 1024 }), 'down #standby with an unknown lag\n')
  }
  const unknown = { now: null, max: 0 }
  t.equal(line('primary', standby, unknown), 'down #standby\n', 'as without it')
  t.equal(line('any', primary, unknown), 'up\n', 'a primary is never behind')
  t.equal(line('standby', primary, unknown), 'down #primary\n')
  t.equal(line('any', down('it is stopped'), unknown), 'down #it is stopped\n')
})

t.test('each line is valid for HAProxy, whatever the reason', async t => {
  const reasons = ['', ' ', 'a\nup\n', 'a\rup', 'a\0b', 'Größe 😀', '\x9b2J', 'x'.repeat(10_000)]
  for (const reason of reasons) {
    const said = line('any', down(reason))
    t.match(said, /^down #[ -~]*\n$/)
    t.ok(said.length <= 'down #'.length + 100 + 1, `${said.length} bytes`)
  }
  t.equal(line('any', down('x'.repeat(101))), `down #${'x'.repeat(97)}...\n`)
  t.equal(line('any', down('Größe\n😀')), 'down #Gr??e??\n')
})

t.test('nor does any text of others make two of it', async t => {
  const property = fc.property(
    anyText,
    fc.constantFrom('primary', 'standby', 'any'),
    (text, upFor) => assert.match(line(upFor, down(text)), /^down #[ -~]{0,100}\n$/),
  )
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})

t.test('each reply is counted by its meaning', async t => {
  const replyTo = makeAgentReplies('primary')
  t.match(replyTo(primary), { means: 'primary' })
  t.match(replyTo(standby), { means: 'standby' })
  t.match(replyTo(down('gone')), { means: 'unavailable' })
})
