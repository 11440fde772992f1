/**
 * The watcher with the real chokidar on real files: whatever happens to a data directory, a caller
 * that looks only when told to ends up seeing what is there. Nothing here ticks.
 */
import { FSWatcher } from 'chokidar'
import { chmodSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { queryObjects } from 'node:v8'
import t from 'tap'
import { readWatchedInodes } from '../../src/observe/inotify-watches.ts'
import { watchWith } from '../../src/observe/quiet-chokidar.ts'
import { systemWatchLibrary } from '../../src/observe/watch-attempt.ts'
import { startLookout } from '../harness/lookout.ts'
import { asOrdinaryUser } from '../harness/ordinary-user.ts'
import { makeCluster, replace, scenarios, seesControlFile } from '../harness/watch-scenarios.ts'

t.setTimeout(300_000)

const isWatched = (path: string): boolean | undefined =>
  readWatchedInodes()?.has(statSync(path, { bigint: true }).ino)

const libraries = {
  'all is seen': systemWatchLibrary,
  'all is seen by chokidar as it comes too': { ...systemWatchLibrary, open: watchWith(FSWatcher) },
}
for (const [how, library] of Object.entries(libraries)) {
  for (const [name, { before, directory = 'data', run }] of Object.entries(scenarios)) {
    t.test(`${name}: ${how}`, async t => {
      const top = t.testdir({})
      const data = join(top, directory)
      if (before === undefined) makeCluster(data)
      else before(top)
      const lookout = startLookout(data, library)
      t.teardown(lookout.close)
      await lookout.settled()
      await run(lookout, data, top)
      await lookout.settled()
      t.equal(isWatched(data), true)
      t.equal(isWatched(join(data, 'global', 'pg_control')), true)
      t.same(lookout.troubles, [])
    })
  }
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

t.test('armed again five hundred times, it leaves nothing behind', async t => {
  const data = join(t.testdir({}), 'data')
  makeCluster(data)
  const lookout = startLookout(data)
  await lookout.settled()
  const before = readWatchedInodes()?.size
  for (let times = 1; times <= 500; times += 1) {
    replace(join(data, 'global', 'pg_control'), `${times}`)
    await seesControlFile(lookout, `${times}`)
    await lookout.settled()
  }
  await turn()
  t.equal(readWatchedInodes()?.size, before)
  t.ok(lookout.hints.filter(name => name === '').length > 500)
  t.ok(queryObjects(FSWatcher, { format: 'count' }) < 10)
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
