import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { createWatcher, type WatchTargets } from '../../../src/observe/watch/watcher.ts'
import { createFakeWatchLibrary, wholeCluster } from '../../harness/fake-watch-library.ts'
import { createManualTimers } from '../../harness/manual-timers.ts'

const whole: WatchTargets = {
  directory: '/srv/data',
  directoryInode: '1:2',
  controlFileInode: '1:3',
  isSymlink: false,
}
const otherInodes = { ...whole, directoryInode: '1:7' }
const systemError = (code: string) => Object.assign(new Error(code), { code, path: '/srv/data' })
const noWatchLeft = systemError('EMFILE')

const start = () => {
  const fake = createFakeWatchLibrary()
  const { timers, advance, pending } = createManualTimers()
  const said: string[] = []
  const watcher = createWatcher({
    hint: name => said.push(`hint ${name}`),
    armed: () => said.push('armed'),
    trouble: ({ code, path }) => said.push(`${code} ${path}`),
    timers,
    library: fake.library,
  })
  return { fake, watcher, advance, pending, said }
}

/** Armed for the whole cluster, and rested. */
const startArmed = async () => {
  const started = start()
  started.watcher.aim(whole)
  const watch = await started.fake.ready()
  started.advance(10)
  started.said.length = 0
  return { ...started, watch }
}

t.test('it arms when it first gets the targets, and requests a check', async t => {
  const { fake, watcher, said } = start()
  watcher.aim(whole)
  const watch = await fake.last()
  t.same(said, [])
  watch.ready()
  t.same(said, ['armed'])
})

t.test('the same again is no reason to arm again, anything else is', async t => {
  const others: readonly WatchTargets[] = [
    otherInodes,
    { ...whole, directory: '/srv/other' },
    { ...whole, controlFileInode: null },
    { ...whole, isSymlink: true },
  ]
  for (const targets of others) {
    const { fake, watcher, watch, said } = await startArmed()
    watcher.aim({ ...whole })
    t.equal(watch.isClosed(), false)
    watcher.aim(targets)
    t.equal(watch.isClosed(), true)
    t.not(await fake.ready(), watch)
    t.same(said, ['armed'])
  }
})

t.test('it arms at most once in 10 ms, then for what was seen last', async t => {
  const { fake, watcher, advance } = await startArmed()
  watcher.aim(otherInodes)
  await fake.ready()
  watcher.aim(whole)
  advance(9)
  await turn()
  t.equal(fake.opened.length, 2)
  advance(1)
  await turn()
  t.equal(fake.opened.length, 3)
})

t.test(
  'if the check after arming finds other inodes than the one before, it arms again',
  async t => {
    const { fake, watcher, advance } = start()
    watcher.aim(whole)
    const first = await fake.last()
    watcher.aim(otherInodes)
    t.equal(first.isClosed(), false, 'not while it arms')
    advance(10)
    first.ready()
    watcher.aim(otherInodes)
    t.equal(first.isClosed(), true)
    const second = await fake.ready()
    advance(10)
    watcher.aim(otherInodes)
    t.equal(await fake.last(), second)
    t.equal(second.isClosed(), false)
  },
)

t.test(
  'after an event about a watched path itself it arms for what the next check finds',
  async t => {
    const { fake, watcher, said, watch } = await startArmed()
    watch.raw('/srv/data', { type: 'rename', name: 'standby.signal' })
    watcher.aim(whole)
    t.equal(watch.isClosed(), false)
    watch.raw('/srv/data', { type: 'rename', name: 'data' })
    t.same(said, ['hint standby.signal', 'hint data'])
    watcher.aim(whole)
    t.equal(watch.isClosed(), true)
    await fake.ready()
    t.same(said, ['hint standby.signal', 'hint data', 'armed'])
  },
)

t.test('so it does for an event while it arms, after a rest', async t => {
  const { fake, watcher, advance, said } = start()
  watcher.aim(whole)
  const first = await fake.last()
  first.raw('/srv/data', { type: 'rename', name: 'global' })
  first.ready()
  t.same(said, ['hint global', 'armed'])
  watcher.aim(whole)
  t.equal(await fake.last(), first)
  advance(10)
  t.not(await fake.last(), first)
})

t.test('a first failure is no trouble: it tries again after a rest', async t => {
  const { fake, watcher, advance, said } = start()
  watcher.aim(whole)
  const first = await fake.last()
  first.error(systemError('EACCES'))
  t.equal(first.isClosed(), true)
  advance(10)
  t.not(await fake.ready(), first)
  t.same(said, ['armed'])
})

t.test('trouble is reported once for each cause, and retried after 1, 2, 4 ... s', async t => {
  const { fake, watcher, advance, said } = start()
  const failAgain = async (cause: Error) => {
    const watch = await fake.last()
    watch.error(cause)
    return watch
  }
  watcher.aim(whole)
  await failAgain(noWatchLeft)
  advance(10)
  const causes = [noWatchLeft, noWatchLeft, systemError('ENOSPC')]
  for (const [index, cause] of causes.entries()) {
    const watch = await failAgain(cause)
    watcher.aim(otherInodes)
    advance(1000 * 2 ** index - 1)
    t.equal(await fake.last(), watch)
    advance(1)
    t.not(await fake.last(), watch)
  }
  await fake.ready()
  advance(10)
  for (const ms of [10, 1000]) {
    const watch = await failAgain(systemError('ENOSPC'))
    advance(ms)
    t.not(await fake.last(), watch, 'once armed, failures before are forgotten')
  }
  t.same(said, ['EMFILE /srv/data', 'ENOSPC /srv/data', 'armed', 'ENOSPC /srv/data'])
})

t.test('on a disk that hangs there is one survey, whatever checks find', async t => {
  const { fake, watcher, advance, said } = start()
  fake.survey('nothing ever')
  for (let seconds = 0; seconds < 600; seconds += 1) {
    watcher.aim(seconds % 2 === 0 ? whole : otherInodes)
    advance(1000)
    await turn()
  }
  t.equal(fake.surveys(), 1)
  fake.survey(wholeCluster)
  fake.thaw()
  await fake.ready()
  t.same(said, ['armed'])
})

t.test('closed, it does nothing any more', async t => {
  const { fake, watcher, advance, pending, said, watch } = await startArmed()
  watcher.close()
  t.equal(watch.isClosed(), true)
  t.equal(pending(), 0)
  watcher.aim(otherInodes)
  watch.raw('/srv/data', { type: 'rename', name: 'data' })
  watch.ready()
  watch.error(noWatchLeft)
  advance(100_000)
  await turn()
  t.equal(fake.opened.length, 1)
  t.same(said, [])
})

t.test('it can be closed before it has targets, while arming, and between attempts', async t => {
  const [idle, arming, failing] = [start(), start(), start()]
  arming.watcher.aim(whole)
  failing.watcher.aim(whole)
  const { error } = await failing.fake.last()
  error(noWatchLeft)
  failing.advance(10)
  const { error: again } = await failing.fake.last()
  again(noWatchLeft)
  t.same(failing.said, ['EMFILE /srv/data'])
  for (const { fake, watcher, advance, pending } of [idle, arming, failing]) {
    const before = fake.opened.length
    watcher.close()
    t.equal(pending(), 0)
    advance(100_000)
    await turn()
    t.equal(fake.opened.length, before)
  }
})
