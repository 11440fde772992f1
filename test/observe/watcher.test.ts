import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { createWatcher, type WatchTargets } from '../../src/observe/watcher.ts'
import { createFakeWatchLibrary, wholeCluster } from '../harness/fake-watch-library.ts'
import { createManualTimers } from '../harness/manual-timers.ts'

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

t.test('it arms when it is first told what is there', async t => {
  const { fake, watcher, said } = start()
  t.equal(watcher.state(), 'arming')
  watcher.aim(whole)
  const watch = await fake.last()
  watch.ready()
  t.same(said, ['armed'])
  t.equal(watcher.state(), 'arming', 'not sure yet')
  await turn()
  t.equal(watcher.state(), 'armed')
})

t.test('the same again is no reason to arm again, anything else is', async t => {
  const others: readonly WatchTargets[] = [
    otherInodes,
    { ...whole, directory: '/srv/other' },
    { ...whole, controlFileInode: null },
    { ...whole, isSymlink: true },
  ]
  for (const targets of others) {
    const { fake, watcher, watch } = await startArmed()
    watcher.aim({ ...whole })
    t.equal(watch.isClosed(), false)
    watcher.aim(targets)
    t.equal(watch.isClosed(), true)
    t.equal(watcher.state(), 'arming')
    t.not(await fake.ready(), watch)
    t.equal(watcher.state(), 'armed')
  }
})

t.test('it arms at most once in 10 ms, then for what was told last', async t => {
  const { fake, watcher, advance } = await startArmed()
  watcher.aim(otherInodes)
  await fake.ready()
  watcher.aim(whole)
  t.equal(watcher.state(), 'arming')
  advance(9)
  await turn()
  t.equal(fake.opened.length, 2)
  advance(1)
  await turn()
  t.equal(fake.opened.length, 3)
})

t.test('what is told while it arms counts once it is ready', async t => {
  const { fake, watcher, advance } = start()
  watcher.aim(whole)
  watcher.aim(otherInodes)
  await fake.ready()
  advance(10)
  watcher.aim(otherInodes)
  await turn()
  t.equal(fake.opened.length, 1)
})

t.test('hints are passed on; after one about a watched path itself all is armed again', async t => {
  const { fake, watcher, said, watch } = await startArmed()
  watch.raw('/srv/data', { type: 'rename', name: 'standby.signal' })
  t.equal(watcher.state(), 'armed')
  watch.raw('/srv/data', { type: 'rename', name: 'data' })
  t.equal(watcher.state(), 'arming')
  await fake.ready()
  t.same(said, ['hint standby.signal', 'hint data', 'armed'])
  t.equal(watcher.state(), 'armed')
})

t.test('a path that goes while arming is armed again too, after a rest', async t => {
  const { fake, watcher, advance, said } = start()
  watcher.aim(whole)
  const first = await fake.last()
  first.raw('/srv/data', { type: 'rename', name: 'global' })
  first.ready()
  t.same(said, ['hint global', 'armed'])
  advance(10)
  t.not(await fake.last(), first)
})

t.test('paths that changed while it armed are armed again', async t => {
  const { fake, watcher, advance } = start()
  watcher.aim(whole)
  const first = await fake.last()
  const [data, controlFile] = wholeCluster
  fake.survey([data, { ...controlFile, inode: 4n }])
  first.ready()
  await turn()
  advance(10)
  await fake.ready()
  t.equal(fake.opened.length, 2)
})

t.test(
  'roots the kernel does not confirm are armed again once, each time they are news',
  async t => {
    const { fake, watcher, advance } = start()
    const armAgain = async () => {
      const watch = await fake.last()
      watch.ready()
      await turn()
      advance(10)
      await turn()
      return fake.opened.length
    }
    fake.kernelWatches(new Set([2n]))
    watcher.aim(whole)
    t.equal(await armAgain(), 2)
    t.equal(await armAgain(), 2)
    t.equal(watcher.state(), 'armed')
    fake.kernelWatches(new Set([2n, 3n]))
    watcher.aim(otherInodes)
    t.equal(await armAgain(), 3)
    fake.kernelWatches(new Set([2n]))
    watcher.aim(whole)
    t.equal(await armAgain(), 5)
  },
)

t.test('trouble is told once for each cause, and tried again after 1, 2, 4 ... s', async t => {
  const { fake, watcher, advance, said } = start()
  watcher.aim(whole)
  const causes = [noWatchLeft, noWatchLeft, systemError('ENOSPC')]
  for (const [index, cause] of causes.entries()) {
    const watch = await fake.last()
    watch.error(cause)
    await turn()
    t.equal(watcher.state(), 'blind')
    watcher.aim(otherInodes)
    advance(1000 * 2 ** index - 1)
    t.equal(await fake.last(), watch)
    advance(1)
    t.not(await fake.last(), watch)
    t.equal(watcher.state(), 'blind')
  }
  const watch = await fake.ready()
  t.equal(watcher.state(), 'armed')
  watch.error(systemError('ENOSPC'))
  await turn()
  advance(1000)
  t.not(await fake.last(), watch, 'armed once, trouble is forgotten')
  t.same(said, ['EMFILE /srv/data', 'ENOSPC /srv/data', 'armed', 'ENOSPC /srv/data'])
})

t.test('an error because paths moved is no trouble: all is armed again', async t => {
  const { fake, watcher, advance, said } = start()
  watcher.aim(whole)
  const first = await fake.last()
  const [data] = wholeCluster
  fake.survey([data])
  first.error(systemError('EACCES'))
  await turn()
  t.equal(watcher.state(), 'arming')
  advance(10)
  await fake.ready()
  t.equal(watcher.state(), 'armed')
  t.same(said, ['armed'])
})

t.test('on a disk that hangs one survey hangs, and not one for each attempt', async t => {
  const { fake, watcher, advance, said } = start()
  fake.survey('nothing ever')
  watcher.aim(whole)
  for (let seconds = 0; seconds < 600; seconds += 1) {
    advance(1000)
    await turn()
  }
  t.equal(fake.surveys(), 1)
  t.same(said, ['ETIMEDOUT /srv/data'])
  fake.survey(wholeCluster)
  fake.thaw()
  await turn()
  while (fake.opened.length === 0) {
    advance(1000)
    await turn()
  }
  await fake.ready()
  t.equal(watcher.state(), 'armed')
})

t.test('closed, it does nothing any more', async t => {
  const { fake, watcher, advance, pending, said, watch } = await startArmed()
  watcher.close()
  t.equal(watch.isClosed(), true)
  t.equal(pending(), 0)
  t.equal(watcher.state(), 'blind')
  watcher.aim(otherInodes)
  watch.raw('/srv/data', { type: 'rename', name: 'data' })
  watch.ready()
  watch.error(noWatchLeft)
  advance(100_000)
  await turn()
  t.equal(fake.opened.length, 1)
  t.same(said, [])
})

t.test('it can be closed before it is told anything, arming, and while it is blind', async t => {
  const [idle, arming, blind] = [start(), start(), start()]
  arming.watcher.aim(whole)
  blind.watcher.aim(whole)
  const watch = await blind.fake.last()
  watch.error(noWatchLeft)
  await turn()
  for (const { fake, watcher, advance, pending } of [idle, arming, blind]) {
    const before = fake.opened.length
    watcher.close()
    t.equal(pending(), 0)
    advance(100_000)
    await turn()
    t.equal(fake.opened.length, before)
  }
})
