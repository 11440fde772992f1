import t from 'tap'
import { createSeldom, quietMs } from '../../src/serve/seldom.ts'
import { createManualTimers } from '../harness/manual-timers.ts'

type News = { readonly kind: 'flood' | 'drought'; readonly number: number }

const setup = () => {
  const time = createManualTimers()
  const told: number[] = []
  const seldom = createSeldom<News>(time.timers, ({ number }) => told.push(number))
  return { time, told, seldom }
}

t.test('the same kind of news is told once, until it has been quiet for a while', t => {
  const { time, told, seldom } = setup()
  seldom.report({ kind: 'flood', number: 1 })
  seldom.report({ kind: 'flood', number: 2 })
  time.advance(quietMs - 1)
  seldom.report({ kind: 'flood', number: 3 })
  t.strictSame(told, [1])
  time.advance(1)
  seldom.report({ kind: 'flood', number: 4 })
  t.strictSame(told, [1, 4])
  t.end()
})

t.test('one kind of news does not silence another', t => {
  const { told, seldom } = setup()
  seldom.report({ kind: 'flood', number: 1 })
  seldom.report({ kind: 'drought', number: 2 })
  t.strictSame(told, [1, 2])
  t.end()
})

t.test('forgetting lets everything be told again, and leaves no timer', t => {
  const { time, told, seldom } = setup()
  seldom.report({ kind: 'flood', number: 1 })
  seldom.report({ kind: 'drought', number: 2 })
  seldom.forget()
  t.equal(time.pending(), 0)
  seldom.report({ kind: 'flood', number: 3 })
  t.strictSame(told, [1, 2, 3])
  t.end()
})
