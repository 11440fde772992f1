import t from 'tap'
import { createFleet, errorOfCluster } from '../../../src/cli/daemon/fleet.ts'
import type { OperatorError } from '../../../src/cli/output/operator-error.ts'
import type { Cluster } from '../../../src/cli/options/option-values.ts'
import type { Knowledge } from '../../../src/cli/daemon/http-surface.ts'
import { fact, fault } from '../../../src/facts/outcome.ts'
import { deferred, settle } from '../../harness/manual-clock.ts'
import { serveDefaults } from '../../harness/serve-options.ts'

const cluster = (name: string | null, port: number): Cluster => ({
  name,
  options: { ...serveDefaults, port },
  given: new Map(),
})

/** Machine with ports of which each can be had once. */
const knowledge: Knowledge = {
  verdict: () => {
    throw new Error('nobody asks')
  },
  lastSnapshot: () => null,
  currentSnapshot: async () => null,
  history: () => [],
  peers: () => [],
  lag: () => null,
}

const setUp = () => {
  const steps: string[] = []
  const renewed: (string | null)[] = []
  const taken = new Set<number>()
  const refused = new Map<string | null, OperatorError>()
  let hold: Promise<unknown> = Promise.resolve()
  const fleet = createFleet({
    check: async ({ name }) => {
      await hold
      return refused.get(name) ?? null
    },
    open: async ({ name, options: { port } }) => {
      await hold
      if (taken.has(port)) return fault({ message: `port ${port} is in use`, hint: 'wait' })
      taken.add(port)
      steps.push(`${name} on ${port}`)
      const stop = (): void => {
        taken.delete(port)
        steps.push(`${name} off ${port}`)
      }
      const renew = async (): Promise<void> => void renewed.push(name)
      return fact({ stop, knowledge, renew })
    },
    report: (event, name) => {
      const { kind, ...rest } = event
      steps.push([name, kind, ...Object.values(rest)].join(' '))
    },
  })
  return {
    ...fleet,
    taken,
    refused,
    renewed,
    hang: () => {
      const { promise, resolve } = deferred<void>()
      hold = promise
      return resolve
    },
    /** What has happened since it was asked last. */
    steps: () => steps.splice(0),
  }
}

const started = async (...clusters: readonly Cluster[]) => {
  const fleet = setUp()
  t.strictSame(await fleet.start(clusters), [])
  fleet.steps()
  return fleet
}

t.test('all are started, and stopped', async t => {
  const { start, stop, steps } = setUp()
  t.strictSame(await start([cluster('a', 1), cluster('b', 2)]), [])
  t.strictSame(steps(), ['a on 1', 'b on 2'])
  stop()
  t.strictSame(steps(), ['a off 1', 'b off 2'])
})

t.test('at the start all or none, and everything that is wrong', async t => {
  const { start, steps, taken } = setUp()
  taken.add(2)
  const errors = await start([cluster('a', 1), cluster('b', 2), cluster(null, 2)])
  t.strictSame(errors, [
    { message: 'cluster b: port 2 is in use', hint: 'wait' },
    { message: 'port 2 is in use', hint: 'wait' },
  ])
  t.strictSame(steps(), ['a on 1', 'a off 1'])
})

t.test('a change touches what has changed, and nothing else', async t => {
  const { change, steps } = await started(cluster('a', 1), cluster('b', 2), cluster('c', 3))
  await change([cluster('a', 1), cluster('b', 4), cluster('d', 5)])
  t.strictSame(steps(), [
    'c off 3',
    'c stopped',
    'b off 2',
    'b on 4',
    'd on 5',
    ' reloaded 1 1 1 1',
  ])
  await change([cluster('d', 5), cluster('b', 4), cluster('a', 1)])
  t.strictSame(steps(), [' reloaded 0 0 0 3'])
})

t.test('an unchanged cluster has its files read again, one opened anew has not', async t => {
  const { change, renewed } = await started(cluster('a', 1), cluster('b', 2), cluster('c', 3))
  await change([cluster('a', 1), cluster('b', 4), cluster('d', 5)])
  t.strictSame(renewed, ['a'])
})

t.test('two can change places', async t => {
  const { change, steps } = await started(cluster('a', 1), cluster('b', 2))
  await change([cluster('a', 2), cluster('b', 1)])
  t.strictSame(steps(), ['a off 1', 'b off 2', 'a on 2', 'b on 1', ' reloaded 0 2 0 0'])
})

t.test('one that is refused is served as before, or not at all where it is new', async t => {
  const { change, steps, refused } = await started(cluster('a', 1))
  for (const name of ['a', 'b']) refused.set(name, { message: 'no', hint: 'chown' })
  await change([cluster('a', 2), cluster('b', 3)])
  t.strictSame(steps(), [
    'a cluster failed no chown as before',
    'b cluster failed no chown no longer',
    ' reloaded 0 0 0 1',
  ])
})

t.test('one that cannot be opened is served as before', async t => {
  const { change, steps, taken } = await started(cluster('a', 1))
  taken.add(2)
  await change([cluster('a', 2), cluster('b', 2)])
  t.strictSame(steps(), [
    'a off 1',
    'a on 1',
    'a cluster failed port 2 is in use wait as before',
    'b cluster failed port 2 is in use wait no longer',
    ' reloaded 0 0 0 1',
  ])
})

t.test('one whose old port is lost as well is retried the next time', async t => {
  const { change, steps, taken } = await started(cluster('a', 1), cluster('b', 2))
  taken.add(3)
  await change([cluster('b', 1), cluster('a', 3)])
  t.strictSame(steps(), [
    'b off 2',
    'a off 1',
    'b on 1',
    'a cluster failed port 3 is in use wait no longer',
    'a cluster failed port 1 is already used by cluster b reload again when cluster b no longer uses that port no longer',
    ' reloaded 0 1 0 0',
  ])
  taken.delete(3)
  await change([cluster('b', 1), cluster('a', 3)])
  t.strictSame(steps(), ['a on 3', ' reloaded 1 0 0 1'])
})

t.test('a port of an unchanged cluster is not given to another', async t => {
  const { change, steps, refused } = await started(cluster('a', 1), cluster('b', 2))
  refused.set('a', { message: 'no', hint: 'chown' })
  await change([cluster('a', 3), cluster('b', 1)])
  t.strictSame(steps(), [
    'a cluster failed no chown as before',
    'b off 2',
    'b on 2',
    'b cluster failed port 1 is already used by cluster a reload again when cluster a no longer uses that port as before',
    ' reloaded 0 0 0 2',
  ])
})

t.test('a line that has moved changes nothing', async t => {
  const { change, steps } = await started(cluster('a', 1))
  const at = { path: 'x.conf', line: 7 }
  const given = new Map([['port', [{ name: 'port', text: '1', at }]]] as const)
  await change([{ ...cluster('a', 1), given }])
  t.strictSame(steps(), [' reloaded 0 0 0 1'])
})

t.test('a cluster that is still being checked or opened at the end does not stay open', async t => {
  const looking = await started(cluster('a', 1))
  const looked = looking.hang()
  const changed = looking.change([cluster('a', 2)])
  looking.stop()
  looked()
  await changed
  t.strictSame(looking.steps(), ['a off 1'])

  const opening = setUp()
  const opened = opening.hang()
  const begun = opening.start([cluster('a', 1), cluster('b', 2)])
  await settle()
  opening.stop()
  opened()
  t.strictSame(await begun, [])
  t.strictSame(opening.steps(), ['a on 1', 'a off 1'])
})

t.test('its members are those that are served', async t => {
  const fleet = await started(cluster('a', 1), cluster('b', 2))
  const names = () => fleet.members().map(member => member.cluster.name)
  t.strictSame(names(), ['a', 'b'])
  await fleet.change([cluster('b', 2)])
  t.strictSame(names(), ['b'])
  t.equal(fleet.members()[0]?.serving.knowledge, knowledge)
})

t.test('an error names its cluster, if it has a name', async t => {
  const error = { message: 'no', hint: 'yes' }
  t.strictSame(errorOfCluster(error, cluster('a', 1)), { message: 'cluster a: no', hint: 'yes' })
  t.strictSame(errorOfCluster(error, cluster(null, 1)), error)
})
