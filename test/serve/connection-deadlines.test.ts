import t from 'tap'
import { createDeadlines } from '../../src/serve/connection-deadlines.ts'
import { createManualTimers } from '../harness/manual-timers.ts'

const stayMs = 1000

const setUp = () => {
  const time = createManualTimers()
  const told: string[] = []
  const deadlines = createDeadlines<string>({
    timers: time.timers,
    stayMs,
    expired: guest => {
      told.push(guest)
    },
  })
  return { ...time, told, deadlines }
}

t.test('each stays for one to two times as long as it may', async t => {
  const { deadlines, told, advance } = setUp()
  deadlines.add('early')
  advance(stayMs - 1)
  deadlines.add('late')
  advance(stayMs)
  t.strictSame(told, [])
  advance(1)
  t.strictSame(told, ['early', 'late'])
})

t.test('a client that has left causes no timeout, and one timer serves all', async t => {
  const { deadlines, told, advance, pending } = setUp()
  t.equal(pending(), 0)
  for (const guest of ['young', 'old', 'stays']) deadlines.add(guest)
  t.equal(pending(), 1)
  deadlines.delete('young')
  advance(stayMs)
  deadlines.delete('old')
  advance(stayMs)
  t.strictSame(told, ['stays'])
  t.equal(pending(), 0)
})

t.test('at the end all are given back, and no timer is left', async t => {
  const { deadlines, told, advance, pending } = setUp()
  deadlines.add('old')
  advance(stayMs)
  deadlines.add('young')
  t.strictSame(deadlines.clear(), ['old', 'young'])
  t.equal(pending(), 0)
  t.strictSame(deadlines.clear(), [])
  t.strictSame(told, [])
})
