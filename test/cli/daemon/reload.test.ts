import t from 'tap'
import type { Fleet } from '../../../src/cli/daemon/fleet.ts'
import type { OperatorError } from '../../../src/cli/output/operator-error.ts'
import type { Configuration } from '../../../src/cli/options/option-values.ts'
import { createReloader } from '../../../src/cli/daemon/reload.ts'
import type { Event } from '../../../src/facts/report/event.ts'
import { fact, fault, type Outcome } from '../../../src/facts/outcome.ts'
import { deferred, settle } from '../../harness/manual-clock.ts'

const fleet: Fleet = {
  start: () => Promise.resolve([]),
  change: () => Promise.resolve(),
  members: () => [],
  stop: () => undefined,
}
const configuration: Configuration = {
  logLevel: 'info',
  logFormat: 'text',
  user: null,
  clusters: [],
}

type Found = Outcome<Configuration, readonly OperatorError[]>

const setUp = (hasFile = true) => {
  const events: Event[] = []
  const reads: ((found: Found) => void)[] = []
  const taken: Configuration[] = []
  const told: string[] = []
  const reread = (): Promise<Found> => {
    const { promise, resolve } = deferred<Found>()
    reads.push(resolve)
    return promise
  }
  const reloading = createReloader(hasFile ? reread : null, {
    report: event => {
      events.push(event)
    },
    apply: async next => {
      taken.push(next)
      told.push('taken')
    },
    began: () => void told.push('began'),
    ended: () => void told.push('ended'),
  })
  return { ...reloading, events, reads, taken, told }
}

t.test('what is asked for before the start is done after it, once', async t => {
  const { request, begin, reads, taken } = setUp()
  request()
  request()
  t.equal(reads.length, 0)
  begin(fleet)
  t.equal(reads.length, 1)
  reads[0]?.(fact(configuration))
  await settle()
  t.strictSame(taken, [configuration])
  t.equal(reads.length, 1)
})

t.test('what is asked for while it reads is done afterwards, once', async t => {
  const { request, begin, reads, taken } = setUp()
  begin(fleet)
  t.equal(reads.length, 0, 'nobody asked')
  request()
  request()
  request()
  t.equal(reads.length, 1)
  reads[0]?.(fact(configuration))
  await settle()
  t.equal(reads.length, 2)
  reads[1]?.(fact(configuration))
  await settle()
  t.equal(reads.length, 2)
  t.equal(taken.length, 2)
  request()
  t.equal(reads.length, 3)
})

t.test('an invalid file is rejected, and each of its errors is reported', async t => {
  const { request, begin, reads, taken, events } = setUp()
  begin(fleet)
  request()
  reads[0]?.(
    fault([
      { message: 'x:1: a', hint: 'b' },
      { message: 'x:2: c', hint: 'd' },
    ]),
  )
  await settle()
  t.strictSame(taken, [])
  t.strictSame(events, [
    { kind: 'reload refused', because: 'x:1: a', hint: 'b' },
    { kind: 'reload refused', because: 'x:2: c', hint: 'd' },
  ])
})

t.test('a reload without a file is reported, each time', async t => {
  const { request, begin, events } = setUp(false)
  begin(fleet)
  request()
  await settle()
  request()
  await settle()
  t.strictSame(events, [{ kind: 'reload needless' }, { kind: 'reload needless' }])
})

t.test('begin and end of each reload are reported, successful or not', async t => {
  const { request, begin, reads, told } = setUp()
  request()
  t.strictSame(told, [], 'not before the start')
  begin(fleet)
  t.strictSame(told, ['began'])
  reads[0]?.(fact(configuration))
  await settle()
  t.strictSame(told, ['began', 'taken', 'ended'])
  request()
  reads[1]?.(fault([{ message: 'x:1: a', hint: 'b' }]))
  await settle()
  t.strictSame(told.slice(3), ['began', 'ended'])
})
