import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { attemptWatch, systemWatchLibrary } from '../../src/observe/watch-attempt.ts'
import { createFakeWatchLibrary, wholeCluster } from '../harness/fake-watch-library.ts'
import { realTimers } from '../harness/lookout.ts'
import { createManualTimers } from '../harness/manual-timers.ts'
import { until } from '../harness/until.ts'

const systemError = (code: string, path?: string) =>
  Object.assign(new Error(code), path === undefined ? { code } : { code, path })

const [data, controlFile] = wholeCluster

const start = (fake = createFakeWatchLibrary()) => {
  const clock = createManualTimers()
  const said: string[] = []
  const attempt = attemptWatch({
    directory: '/srv/data',
    library: fake.library,
    timers: clock.timers,
    events: {
      ready: () => said.push('ready'),
      hint: name => said.push(`hint ${name}`),
      moved: () => said.push('moved'),
      doubt: roots => said.push(roots === null ? 'confirmed' : `doubt ${roots}`),
      failed: trouble => {
        said.push(trouble === null ? 'over' : `failed ${trouble.code} ${trouble.path}`)
      },
    },
  })
  return { fake, clock, said, attempt }
}

t.test('what the survey finds is watched', async t => {
  const { fake, said, clock } = start()
  const watch = await fake.last()
  t.same(watch.paths, ['/srv/data', '/srv/data/global/pg_control'])
  t.same(said, [])
  watch.ready()
  t.same(said, ['ready'])
  t.equal(clock.pending(), 0)
  await turn()
  t.same(said, ['ready', 'confirmed'])
})

t.test('events that matter become hints, also before it is ready', async t => {
  const { fake, said } = start()
  const watch = await fake.last()
  watch.raw('/srv/data', { type: 'rename', name: 'standby.signal' })
  watch.raw('/srv/data', { type: 'change', name: 'logfile' })
  watch.raw('/srv/data', { type: 'change', name: null })
  watch.raw('/srv/data/global/pg_control', { type: 'change', name: 'pg_control' })
  watch.raw('/elsewhere', { type: 'rename', name: 'standby.signal' })
  t.same(said, ['hint standby.signal', 'hint data', 'hint pg_control'])
})

t.test('a watched path that goes is told, and hinted at', async t => {
  const { fake, said } = start()
  const watch = await fake.last()
  watch.raw('/srv/data/global/pg_control', { type: 'rename', name: 'pg_control' })
  t.same(said, ['moved', 'hint pg_control'])
})

t.test('an error ends it, with the path it was about', async t => {
  const { fake, said, clock } = start()
  const watch = await fake.last()
  watch.error(systemError('EMFILE', '/srv/data/global/pg_control'))
  watch.error(systemError('EMFILE', '/srv/data'))
  watch.ready()
  await turn()
  watch.raw('/srv/data', { type: 'rename', name: 'standby.signal' })
  t.same(said, ['failed EMFILE /srv/data/global/pg_control'])
  t.equal(watch.isClosed(), true)
  t.equal(clock.pending(), 0)
})

t.test('an error without a path is about the data directory', async t => {
  for (const error of [
    systemError('ENOSPC'),
    Object.assign(new Error('odd'), { code: 'ENOSPC', path: 7 }),
  ]) {
    const { fake, said } = start()
    const watch = await fake.last()
    watch.error(error)
    await turn()
    t.same(said, ['failed ENOSPC /srv/data'])
  }
  const { fake, said } = start()
  const watch = await fake.last()
  watch.error('no error at all')
  await turn()
  t.same(said, ['failed no error at all /srv/data'])
})

t.test('an error after it was ready ends it too', async t => {
  const { fake, said } = start()
  const watch = await fake.ready()
  watch.error(systemError('ENOSPC', '/srv/data'))
  await turn()
  t.same(said, ['ready', 'confirmed', 'failed ENOSPC /srv/data'])
})

t.test('an error is no trouble when the paths lead elsewhere meanwhile', async t => {
  const { fake, said } = start()
  const watch = await fake.last()
  fake.survey([data])
  watch.error(systemError('EACCES', '/srv/data/global/pg_control'))
  await turn()
  t.same(said, ['over'])
  t.equal(watch.isClosed(), true)
})

t.test('an error on a disk that hangs ends it in time', async t => {
  const { fake, said, clock } = start()
  const watch = await fake.ready()
  fake.survey('nothing ever')
  watch.error(systemError('EIO', '/srv/data'))
  clock.advance(1500)
  fake.survey(wholeCluster)
  fake.thaw()
  await turn()
  t.same(said, ['ready', 'confirmed', 'failed ETIMEDOUT /srv/data'])
})

t.test('a survey that fails ends it, at first and when it is ready', async t => {
  const early = createFakeWatchLibrary()
  early.survey(systemError('EMFILE', '/srv'))
  const { said } = start(early)
  await turn()
  t.same(said, ['failed EMFILE /srv'])
  const late = start()
  const watch = await late.fake.last()
  late.fake.survey(systemError('EIO', '/srv/data'))
  watch.ready()
  await turn()
  t.same(late.said, ['ready', 'failed EIO /srv/data'])
})

t.test('it gives up when it is not ready in time', async t => {
  const { fake, said, clock } = start()
  const watch = await fake.last()
  clock.advance(1499)
  t.same(said, [])
  clock.advance(1)
  t.same(said, ['failed ETIMEDOUT /srv/data'])
  t.equal(watch.isClosed(), true)
})

t.test('it gives up on a disk that hangs, and opens nothing when it wakes up', async t => {
  const fake = createFakeWatchLibrary()
  fake.survey('nothing ever')
  const { said, clock } = start(fake)
  await turn()
  clock.advance(1500)
  t.same(said, ['failed ETIMEDOUT /srv/data'])
  fake.survey(wholeCluster)
  fake.thaw()
  await turn()
  t.equal(fake.opened.length, 0)
  t.same(said, ['failed ETIMEDOUT /srv/data'])
})

t.test('where there is nothing to watch at all it fails', async t => {
  const fake = createFakeWatchLibrary()
  fake.survey([])
  const { said } = start(fake)
  await turn()
  t.same(said, ['failed ENOENT /srv/data'])
})

t.test('paths that lead elsewhere once it is ready are told', async t => {
  const { fake, said } = start()
  const watch = await fake.last()
  fake.survey([{ ...data, inode: 4n }, controlFile])
  watch.ready()
  await turn()
  t.same(said, ['ready', 'moved'])
})

t.test('inodes that the kernel does not watch raise a doubt', async t => {
  const { fake, said } = start()
  const watch = await fake.last()
  fake.kernelWatches(new Set([2n, 4n]))
  watch.ready()
  await turn()
  const roots = '[["/srv/data","1:2"],["/srv/data/global/pg_control","1:3"]]'
  t.same(said, ['ready', `doubt ${roots}`])
})

t.test('inodes that the kernel does watch raise none', async t => {
  const { fake, said } = start()
  const watch = await fake.last()
  fake.kernelWatches(new Set([2n, 3n, 4n]))
  watch.ready()
  await turn()
  t.same(said, ['ready', 'confirmed'])
})

t.test('closed, it says nothing more', async t => {
  const { fake, said, attempt, clock } = start()
  const watch = await fake.last()
  attempt.close()
  t.equal(watch.isClosed(), true)
  watch.ready()
  watch.raw('/srv/data', { type: 'rename', name: 'standby.signal' })
  watch.error(systemError('EMFILE'))
  clock.advance(10_000)
  await turn()
  t.same(said, [])
})

t.test('closed while it makes sure, it says nothing more', async t => {
  const { fake, said, attempt } = start()
  const watch = await fake.last()
  watch.ready()
  attempt.close()
  await turn()
  t.same(said, ['ready'])
})

t.test('the real library arms, and the kernel confirms it', async t => {
  const said: string[] = []
  const attempt = attemptWatch({
    directory: t.testdir({ global: { pg_control: 'control' } }),
    library: systemWatchLibrary,
    timers: realTimers,
    events: {
      ready: () => said.push('ready'),
      hint: name => said.push(`hint ${name}`),
      moved: () => said.push('moved'),
      doubt: roots => said.push(roots === null ? 'confirmed' : 'doubt'),
      failed: trouble => said.push(`failed ${trouble?.code}`),
    },
  })
  await until(() => said.length === 2, { what: 'confirmation', limitMs: 5000, everyMs: 1 })
  t.same(said, ['ready', 'confirmed'])
  attempt.close()
})
