/**
 * The watcher with the real chokidar on real files: whatever happens to a data directory, a caller
 * that looks only when told to ends up seeing what is there. Nothing here ticks.
 */
import { FSWatcher } from 'chokidar'
import { chmodSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { queryObjects } from 'node:v8'
import t from 'tap'
import { isWatched, readWatchedInodes } from '../harness/inotify-watches.ts'
import { startLookout } from '../harness/lookout.ts'
import { asOrdinaryUser } from '../harness/ordinary-user.ts'
import { until } from '../harness/until.ts'
import { makeCluster, replace, scenarios, seesControlFile } from '../harness/watch-scenarios.ts'

t.setTimeout(300_000)

for (const [name, { before, directory = 'data', run }] of Object.entries(scenarios)) {
  t.test(name, async t => {
    const top = t.testdir({})
    const data = join(top, directory)
    if (before === undefined) makeCluster(data)
    else before(top)
    const lookout = startLookout(data)
    t.teardown(lookout.close)
    await lookout.settled()
    await run(lookout, data, top)
    await lookout.settled()
    t.same(lookout.troubles, [])
  })
}

t.test('what may no longer be read is found again once it may', async t => {
  await asOrdinaryUser(async top => {
    const data = join(top, 'data')
    makeCluster(data)
    const lookout = startLookout(data)
    await lookout.settled()
    for (const path of [data, join(data, 'global'), join(data, 'global', 'pg_control')]) {
      chmodSync(path, 0)
      await seesControlFile(lookout, null)
      chmodSync(path, 0o700)
      await seesControlFile(lookout, 'first')
    }
    lookout.close()
    t.same(lookout.troubles, [])
  })
})

t.test('armed again a hundred times, it leaves nothing behind', async t => {
  const data = join(t.testdir({}), 'data')
  makeCluster(data)
  const lookout = startLookout(data)
  await lookout.settled()
  const before = readWatchedInodes().size
  const armings = () => lookout.hints.filter(name => name === '').length
  for (let times = 1; times <= 100; times += 1) {
    const had = armings()
    replace(join(data, 'global', 'pg_control'), `${times}`)
    await seesControlFile(lookout, `${times}`)
    await until(() => armings() > had, { what: 'it to arm again', limitMs: 5000, everyMs: 1 })
  }
  // Timers of chokidar hold closed instances for up to a second.
  const areForgotten = () => queryObjects(FSWatcher, { format: 'count' }) < 10
  await until(areForgotten, { what: 'closed instances to be forgotten', limitMs: 5000 })
  await lookout.settled()
  t.equal(readWatchedInodes().size, before)
  lookout.close()
})

t.test('closed means closed', async t => {
  const data = join(t.testdir({}), 'data')
  makeCluster(data)
  const lookout = startLookout(data)
  await lookout.settled()
  rmSync(join(data, 'global'), { recursive: true })
  lookout.close()
  const heard = lookout.hints.length
  await turn()
  t.equal(isWatched(data), false)
  makeCluster(data)
  const other = startLookout(data)
  await other.settled()
  writeFileSync(join(data, 'standby.signal'), '')
  await other.sees('standby.signal', ({ standbySignal }) => standbySignal === '')
  t.equal(lookout.hints.length, heard)
  other.close()
})
