import t from 'tap'
import type { WantedRole } from '../../src/facts/verdict.ts'
import { makeAgentReplies, type Judgement } from '../../src/serve/agent-reply.ts'

const primary: Judgement = { kind: 'available', role: 'primary', because: 'it is ready' }
const standby: Judgement = { kind: 'available', role: 'standby', because: 'it is ready' }
const down = (because: string): Judgement => ({ kind: 'unavailable', because })

const line = (upFor: WantedRole, judgement: Judgement): string => {
  const reply = makeAgentReplies(upFor)(judgement)
  return reply.kind === 'say' ? Buffer.from(reply.bytes).toString('latin1') : ''
}

t.test('who has the role is up, and nobody else', async t => {
  t.equal(line('primary', primary), 'up\n')
  t.equal(line('primary', standby), 'down #standby\n')
  t.equal(line('standby', primary), 'down #primary\n')
  t.equal(line('standby', standby), 'up\n')
  t.equal(line('any', primary), 'up\n')
  t.equal(line('any', standby), 'up\n')
})

t.test('whoever is unavailable is down, with the reason', async t => {
  for (const upFor of ['primary', 'standby', 'any'] as const) {
    t.equal(line(upFor, down('no server runs there')), 'down #no server runs there\n')
  }
})

t.test('each line is one that HAProxy knows, whatever the reason', async t => {
  const reasons = ['', ' ', 'a\nup\n', 'a\rup', 'a\0b', 'Größe 😀', '\x9b2J', 'x'.repeat(10_000)]
  for (const reason of reasons) {
    const said = line('any', down(reason))
    t.match(said, /^down #[ -~]*\n$/)
    t.ok(said.length <= 'down #'.length + 100 + 1, `${said.length} bytes`)
  }
  t.equal(line('any', down('x'.repeat(101))), `down #${'x'.repeat(97)}...\n`)
  t.equal(line('any', down('Größe\n😀')), 'down #Gr??e??\n')
})

t.test('what was said is told for whoever counts', async t => {
  const replyTo = makeAgentReplies('primary')
  t.match(replyTo(primary), { means: 'primary' })
  t.match(replyTo(standby), { means: 'standby' })
  t.match(replyTo(down('gone')), { means: 'unavailable' })
})
