import t from 'tap'
import type { Event } from '../../src/facts/report/event.ts'
import {
  clusterReserve,
  createDescriptorBudget,
  baseReserve,
  shareMin,
} from '../../src/serve/descriptor-budget.ts'

const setUp = () => {
  const events: Event[] = []
  const budget = createDescriptorBudget(event => {
    events.push(event)
  })
  /** What is reported about the limits now. */
  const reported = (): Event | undefined => {
    budget.report()
    return events.shift()
  }
  const limitTo = (limit: number | null): void => {
    t.equal(budget.setLimit(limit, []), null)
  }
  return { budget, limitTo, reported }
}

/** Less than a cluster with listeners needs. */
const tooLow = 60

t.test('as long as the limit is unknown, each has what it requests', async t => {
  const { budget, limitTo, reported } = setUp()
  const { share } = budget.join()
  t.equal(share(4096).max(), 4096)
  limitTo(null)
  t.equal(reported(), undefined)
})

t.test('so it has where there is enough for all of them', async t => {
  const { budget, limitTo, reported } = setUp()
  const { share } = budget.join()
  const shares = [share(4096), share(512)]
  // Each listener is a descriptor itself.
  limitTo(4096 + 512 + baseReserve + clusterReserve + 2)
  t.strictSame(
    shares.map(({ max }) => max()),
    [4096, 512],
  )
  t.equal(reported(), undefined)
  limitTo(Infinity)
  t.equal(reported(), undefined)
})

t.test('where there is not, each has its part of what the clusters leave over', async t => {
  const { budget, limitTo, reported } = setUp()
  const clusters = [budget.join(), budget.join()]
  const shares = clusters.flatMap(({ share }) => [share(4096), share(512)])
  limitTo(1024)
  const reserved = baseReserve + 2 * clusterReserve + 4
  const parts = shares.map(({ max }) => max())
  const part = (1024 - reserved - 4 * shareMin) / (2 * (4096 + 512) - 4 * shareMin)
  t.strictSame(
    parts,
    [4096, 512, 4096, 512].map(wanted => shareMin + Math.floor((wanted - shareMin) * part)),
  )
  const connections = parts.reduce((sum, one) => sum + one, 0)
  t.ok(connections <= 1024 - reserved)
  t.strictSame(reported(), {
    kind: 'connection limits lowered',
    limit: 1024,
    reserved,
    requested: 2 * 4608,
    connections,
  })
})

t.test('a new listener takes from the others, and a closed one gives back', async t => {
  const { budget, limitTo } = setUp()
  limitTo(1024)
  const told: number[] = []
  const first = budget.join().share(4096)
  first.onLowered(() => {
    told.push(first.max())
  })
  const alone = first.max()
  const other = budget.join()
  t.strictSame(told, [first.max()], 'for its own files, before it listens')
  t.equal(first.max(), alone - clusterReserve)
  const second = other.share(4096)
  t.equal(told.length, 2)
  t.equal(first.max(), second.max())
  other.leave()
  t.equal(first.max(), alone)
  t.equal(told.length, 2)
})

t.test('a limit that is far too low leaves a few for each', async t => {
  const { budget, limitTo, reported } = setUp()
  const { share } = budget.join()
  const [many, few] = [share(4096), share(2)]
  limitTo(tooLow)
  t.equal(many.max(), shareMin)
  t.equal(few.max(), 2)
  t.match(reported(), { limit: tooLow, connections: shareMin + 2 })
})

t.test('at the minimum that is needed, all that is handed out is there', async t => {
  const listeners = [1, 3, 2]
  const needed = baseReserve + 3 * clusterReserve + 6 * (1 + shareMin)
  for (const limit of [needed, needed + 1, needed + 100]) {
    const { budget, reported } = setUp()
    const shares = listeners.flatMap(count => {
      const { share } = budget.join()
      return Array.from({ length: count }, () => share(512))
    })
    t.equal(budget.setLimit(limit, listeners), null)
    for (const { max } of shares) t.ok(max() >= shareMin, `${max()} of ${limit}`)
    const event = reported()
    t.ok(
      event?.kind === 'connection limits lowered' && event.reserved + event.connections <= limit,
      JSON.stringify(event),
    )
  }
})

t.test('a limit below the minimum is an error of the operator', async t => {
  const { budget } = setUp()
  const needed = baseReserve + clusterReserve + 2 * (1 + shareMin)
  t.strictSame(budget.setLimit(needed - 1, [2]), {
    message: `the limit of open files is ${needed - 1}, but at least ${needed} are needed`,
    hint: 'raise it with LimitNOFILE= in the unit, or with ulimit -n in a shell',
  })
  for (const enough of [needed, Infinity, null]) t.equal(budget.setLimit(enough, [2]), null)
})

t.test('the same limits are reported once, and again after a change', async t => {
  const { budget, limitTo, reported } = setUp()
  budget.join().share(4096)
  limitTo(1_000_000)
  t.equal(reported(), undefined)
  limitTo(1024)
  t.match(reported(), { kind: 'connection limits lowered', limit: 1024, requested: 4096 })
  limitTo(null)
  t.equal(reported(), undefined)
  limitTo(512)
  t.match(reported(), { limit: 512 })
})
