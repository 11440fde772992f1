import { setImmediate as turn } from 'node:timers/promises'
import t from 'tap'
import { attemptWatch, systemWatchLibrary } from '../../../src/observe/watch/watch-attempt.ts'
import { createFakeWatchLibrary, wholeCluster } from '../../harness/fake-watch-library.ts'
import { isWatched } from '../../harness/inotify-watches.ts'
import { realTimers } from '../../harness/lookout.ts'
import { createManualTimers } from '../../harness/manual-timers.ts'
import { until } from '../../harness/until.ts'

const systemError = (code: string, path?: string) =>
  Object.assign(new Error(code), path === undefined ? { code } : { code, path })

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
      failed: trouble => said.push(`failed ${trouble.code} ${trouble.path}`),
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

t.test('a watched path that disappears is reported, and causes a hint', async t => {
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
  t.same(said, ['ready', 'failed ENOSPC /srv/data'])
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

t.test('after close, there are no reports', async t => {
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

t.test('closed while it determines what to watch, it opens nothing', async t => {
  const { fake, said, attempt, clock } = start()
  attempt.close()
  await turn()
  t.equal(fake.opened.length, 0)
  t.equal(clock.pending(), 0)
  t.same(said, [])
})

t.test('what to watch cannot be determined: it fails', async t => {
  const fake = createFakeWatchLibrary()
  fake.survey(systemError('EMFILE', '/srv'))
  const { said } = start(fake)
  await turn()
  t.same(said, ['failed EMFILE /srv'])
})

t.test('on a disk that hangs it waits, and arms when the disk responds', async t => {
  const fake = createFakeWatchLibrary()
  fake.survey('nothing ever')
  const { said, clock } = start(fake)
  await turn()
  clock.advance(100_000)
  t.same(said, [])
  fake.survey(wholeCluster)
  fake.thaw()
  const watch = await fake.last()
  watch.ready()
  t.same(said, ['ready'])
})

t.test('the real library arms', async t => {
  const said: string[] = []
  const directory = t.testdir({ global: { pg_control: 'control' } })
  const attempt = attemptWatch({
    directory,
    library: systemWatchLibrary,
    timers: realTimers,
    events: {
      ready: () => said.push('ready'),
      hint: name => said.push(`hint ${name}`),
      moved: () => said.push('moved'),
      failed: trouble => said.push(`failed ${trouble.code}`),
    },
  })
  await until(() => said.length > 0, { what: 'it to be ready', limitMs: 5000, everyMs: 1 })
  t.same(said, ['ready'])
  t.equal(isWatched(directory), true)
  t.equal(isWatched(`${directory}/global/pg_control`), true)
  attempt.close()
})
