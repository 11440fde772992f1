import assert from 'node:assert'
import { appendFileSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { queryObjects } from 'node:v8'
import { FSWatcher, watch } from 'chokidar'
import t from 'tap'
import { openChokidar, type WatchOpener } from '../../../src/observe/watch/chokidar-watch.ts'
import { isWatched, readWatchedInodes } from '../../harness/inotify-watches.ts'
import { until } from '../../harness/until.ts'

/** Watches, and keeps what it is told. */
const listen = async (paths: readonly string[], open = openChokidar) => {
  const events: string[] = []
  const errors: unknown[] = []
  let isReady = false
  const watch = open(paths, {
    raw: (path, { type, name }) => {
      events.push(`${path.split('/').at(-1)}: ${type} ${name}`)
    },
    ready: () => {
      isReady = true
    },
    error: error => {
      errors.push(error)
    },
  })
  await until(() => isReady, { what: 'ready', everyMs: 1 })
  const heard = (event: string) =>
    until(() => events.includes(event), { what: event, limitMs: 5000, everyMs: 1 })
  return { watch, events, errors, heard }
}

/** Opens the same, and keeps the instances. */
const catching = () => {
  const instances: FSWatcher[] = []
  const open: WatchOpener = (paths, events) =>
    openChokidar(paths, events, (...given) => {
      const instance = watch(...given)
      instances.push(instance)
      return instance
    })
  const last = (): FSWatcher => instances.at(-1) ?? assert.fail('no instance was made')
  return { open, last }
}

const cluster = { data: { global: { pg_control: 'control' }, 'standby.signal': '', log: '' } }
const rootsOf = (directory: string) => [directory, join(directory, 'global', 'pg_control')]
const ignore = () => {}
/** Timers of chokidar hold closed instances for up to a second. */
const areForgotten = () => queryObjects(FSWatcher, { format: 'count' }) < 5

t.test('its watches do not keep the process alive', async t => {
  const data = join(t.testdir(cluster), 'data')
  const { watch } = await listen(rootsOf(data))
  t.notOk(process.getActiveResourcesInfo().includes('FSEventWrap'))
  watch.close()
})

t.test('each write of a watched file and each entry of a directory causes an event', async t => {
  const data = join(t.testdir(cluster), 'data')
  const { watch, heard, errors } = await listen(rootsOf(data))
  appendFileSync(join(data, 'global', 'pg_control'), '.')
  await heard('pg_control: change pg_control')
  rmSync(join(data, 'standby.signal'))
  await heard('data: rename standby.signal')
  writeFileSync(join(data, 'postmaster.pid'), '')
  await heard('data: rename postmaster.pid')
  appendFileSync(join(data, 'postmaster.pid'), '4711')
  await heard('data: change postmaster.pid')
  rmSync(join(data, 'global'), { recursive: true })
  await heard('pg_control: rename pg_control')
  rmSync(data, { recursive: true })
  await heard('data: rename data')
  t.same(errors, [])
  watch.close()
})

t.test('nothing but the roots is watched', async t => {
  const data = join(t.testdir(cluster), 'data')
  const { watch } = await listen(rootsOf(data))
  t.equal(isWatched(data), true)
  t.equal(isWatched(join(data, 'global', 'pg_control')), true)
  t.equal(isWatched(join(data, 'global')), false)
  t.equal(isWatched(join(data, 'log')), false)
  watch.close()
})

t.test('a root that is missing does not bring in the directory above it', async t => {
  const data = join(t.testdir(cluster), 'data')
  const { watch, errors } = await listen([join(data, 'global', 'missing')])
  await turn()
  t.equal(isWatched(join(data, 'global')), false)
  t.same(errors, [])
  watch.close()
})

t.test('a directory whose name ends as that of a backup file does is watched too', async t => {
  const data = join(t.testdir({ 'data~': {} }), 'data~')
  const { watch, heard } = await listen([data])
  writeFileSync(join(data, 'standby.signal'), '')
  await heard('data~: rename standby.signal')
  watch.close()
})

t.test('a symlink is followed', async t => {
  const top = t.testdir({ ...cluster, link: t.fixture('symlink', 'data') })
  const { watch, heard } = await listen(rootsOf(join(top, 'link')))
  t.equal(isWatched(join(top, 'data')), true)
  rmSync(join(top, 'data', 'standby.signal'))
  await heard('link: rename standby.signal')
  appendFileSync(join(top, 'data', 'global', 'pg_control'), '.')
  await heard('pg_control: change pg_control')
  watch.close()
})

t.test('set by the environment to poll, it reports no event', async t => {
  process.env['CHOKIDAR_USEPOLLING'] = 'true'
  process.env['CHOKIDAR_INTERVAL'] = '1'
  const data = join(t.testdir(cluster), 'data')
  const { open, last } = catching()
  const made = await listen(rootsOf(data), open)
  const instance = last()
  delete process.env['CHOKIDAR_USEPOLLING']
  delete process.env['CHOKIDAR_INTERVAL']
  let polled = 0
  instance.on('raw', () => {
    polled += 1
  })
  appendFileSync(join(data, 'global', 'pg_control'), '.')
  await until(() => polled > 0, { what: 'polling', everyMs: 1 })
  t.same(made.events, [])
  t.same(made.errors, [])
  made.watch.close()
})

t.test('an error of chokidar is passed on', async t => {
  const { open, last } = catching()
  const made = await listen([t.testdir({})], open)
  const instance = last()
  const error = new Error('no watch left')
  instance.emit('error', error)
  t.same(made.errors, [error])
  made.watch.close()
})

t.test('an event without a watched path is ignored', async t => {
  const { open, last } = catching()
  const made = await listen([t.testdir({})], open)
  const instance = last()
  for (const about of [undefined, null, {}]) instance.emit('raw', 'change', 'name', about)
  t.same(made.events, [])
  made.watch.close()
})

t.test(
  'what is closed stays closed: no event, no watch, no error that ends the process',
  async t => {
    const data = join(t.testdir(cluster), 'data')
    const { open, last } = catching()
    const made = await listen(rootsOf(data), open)
    const instance = last()
    made.watch.close()
    await turn()
    t.equal(isWatched(data), false)
    // As chokidar itself does when a removal ends after close().
    instance.add(data)
    instance.emit('error', new Error('late'))
    instance.emit('raw', 'change', 'late', { watchedPath: data })
    mkdirSync(join(data, 'pg_wal'))
    const other = await listen([join(data, 'global')])
    writeFileSync(join(data, 'global', 'other'), '')
    await other.heard('global: rename other')
    t.same(made.events, [])
    t.equal(isWatched(data), false)
    other.watch.close()
  },
)

t.test('closed while files are removed and replaced, it leaves no watch behind', async t => {
  const top = t.testdir({})
  const before = readWatchedInodes().size
  for (let times = 0; times < 30; times += 1) {
    const data = join(top, `${times}`)
    mkdirSync(join(data, 'global'), { recursive: true })
    const control = join(data, 'global', 'pg_control')
    writeFileSync(control, 'control')
    const { watch, heard } = await listen([control])
    if (times % 2 === 0) rmSync(control)
    else renameSync(control, join(data, 'away'))
    await heard('pg_control: rename pg_control')
    watch.close()
    writeFileSync(control, 'another')
  }
  await until(areForgotten, { what: 'the end of all that was under way', limitMs: 5000 })
  // The last one is closed by an immediate.
  await turn()
  t.equal(readWatchedInodes().size, before)
})

t.test('closed at any moment of arming, it leaves no watch behind', async t => {
  const { open, last } = catching()
  for (let microtasks = 0; microtasks < 10; microtasks += 1) {
    const data = t.testdir({})
    const opened = open([data], { raw: ignore, ready: ignore, error: ignore })
    const library = last()['_nodeFsHandler']
    await new Promise<void>(resolve => {
      const original = library['_watchWithNodeFs'].bind(library)
      const closeSoon = async () => {
        for (let passed = 0; passed < microtasks; passed += 1) await Promise.resolve()
        opened.close()
        resolve()
      }
      library['_watchWithNodeFs'] = (...given) => {
        void closeSoon()
        return original(...given)
      }
    })
    await turn()
    t.equal(isWatched(data), false, `${microtasks} microtasks after the watch was made`)
  }
})

t.test('closed ones are forgotten', async t => {
  const data = join(t.testdir(cluster), 'data')
  for (let times = 0; times < 20; times += 1) {
    const { watch } = await listen(rootsOf(data))
    watch.close()
    await turn()
  }
  await until(areForgotten, { what: 'closed instances to be forgotten', limitMs: 5000 })
  t.ok(areForgotten())
})
