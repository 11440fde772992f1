import { FSWatcher } from 'chokidar'
import { appendFileSync, mkdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import { queryObjects } from 'node:v8'
import t from 'tap'
import { readWatchedInodes } from '../../src/observe/inotify-watches.ts'
import { openQuietChokidar, QuietWatcher, watchWith } from '../../src/observe/quiet-chokidar.ts'
import { until } from '../harness/until.ts'

/** Watches, and keeps what it is told. */
const listen = async (paths: readonly string[], opener = openQuietChokidar) => {
  const events: string[] = []
  const errors: unknown[] = []
  let isReady = false
  const watch = opener(paths, {
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

/** The last instance made, caught by its constructor. */
const caught = (Library: typeof FSWatcher = QuietWatcher) => {
  const made: FSWatcher[] = []
  class Caught extends Library {
    constructor(options?: ConstructorParameters<typeof FSWatcher>[0]) {
      super(options)
      made.push(this)
    }
  }
  return { opener: watchWith(Caught), made }
}

const ignore = () => {}

const cluster = { data: { global: { pg_control: 'control' }, 'standby.signal': '', log: '' } }
const rootsOf = (directory: string) => [directory, join(directory, 'global', 'pg_control')]
const watches = (path: string) => readWatchedInodes()?.has(statSync(path, { bigint: true }).ino)

// First of all: chokidar as it comes leaves timers behind.
t.test('it does not keep the process alive', async t => {
  const data = join(t.testdir(cluster), 'data')
  const { watch, heard } = await listen(rootsOf(data))
  appendFileSync(join(data, 'global', 'pg_control'), '.')
  await heard('pg_control: change pg_control')
  const holding = process.getActiveResourcesInfo()
  t.same(
    holding.filter(name => name === 'FSEventWrap' || name === 'Timeout'),
    [],
  )
  watch.close()
})

for (const [name, Library] of [
  ['quiet', QuietWatcher],
  ['as it comes', FSWatcher],
] as const) {
  t.test(
    `${name}: each write of a watched file and each entry of a directory is heard`,
    async t => {
      const data = join(t.testdir(cluster), 'data')
      const { watch, heard, errors } = await listen(rootsOf(data), watchWith(Library))
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
    },
  )
}

t.test('nothing but the roots is watched', async t => {
  const data = join(t.testdir(cluster), 'data')
  const { watch } = await listen(rootsOf(data))
  t.equal(watches(data), true)
  t.equal(watches(join(data, 'global', 'pg_control')), true)
  t.equal(watches(join(data, 'global')), false)
  t.equal(watches(join(data, 'log')), false)
  watch.close()
})

t.test('a root that is missing does not bring in the directory above it', async t => {
  const data = join(t.testdir(cluster), 'data')
  const { watch, errors } = await listen([join(data, 'global', 'missing')])
  await turn()
  t.equal(watches(join(data, 'global')), false)
  t.same(errors, [])
  watch.close()
})

t.test('an event makes it list no directory', async t => {
  const data = join(t.testdir(cluster), 'data')
  let listings = 0
  class Counting extends QuietWatcher {
    override _readdirp(): undefined {
      listings += 1
      return undefined
    }
  }
  const { watch, heard } = await listen(rootsOf(data), watchWith(Counting))
  appendFileSync(join(data, 'log'), '.')
  await heard('data: change log')
  t.equal(listings, 0)
  watch.close()
})

t.test('a directory whose name ends like a backup file is watched too', async t => {
  const data = join(t.testdir({ 'data~': {} }), 'data~')
  const { watch, heard } = await listen([data])
  writeFileSync(join(data, 'standby.signal'), '')
  await heard('data~: rename standby.signal')
  watch.close()
})

t.test('a symlink is followed', async t => {
  const top = t.testdir({ ...cluster, link: t.fixture('symlink', 'data') })
  const { watch, heard } = await listen(rootsOf(join(top, 'link')))
  t.equal(watches(join(top, 'data')), true)
  rmSync(join(top, 'data', 'standby.signal'))
  await heard('link: rename standby.signal')
  appendFileSync(join(top, 'data', 'global', 'pg_control'), '.')
  await heard('pg_control: change pg_control')
  watch.close()
})

t.test('chokidar is not told by the environment to poll', async t => {
  process.env['CHOKIDAR_USEPOLLING'] = 'true'
  process.env['CHOKIDAR_INTERVAL'] = '10000'
  const data = join(t.testdir(cluster), 'data')
  const { opener, made } = caught()
  const { watch } = await listen(rootsOf(data), opener)
  t.match(made[0]?.options, { usePolling: false, persistent: false, atomic: false, depth: 0 })
  t.equal('CHOKIDAR_USEPOLLING' in process.env, false)
  t.equal('CHOKIDAR_INTERVAL' in process.env, false)
  watch.close()
})

t.test('an error of chokidar is passed on', async t => {
  const { opener, made } = caught()
  const { watch, errors } = await listen([t.testdir({})], opener)
  const error = new Error('no watch left')
  made[0]?.emit('error', error)
  t.same(errors, [error])
  watch.close()
})

t.test("an event of no known path is nobody's", async t => {
  const { opener, made } = caught()
  const { watch, events } = await listen([t.testdir({})], opener)
  for (const about of [undefined, null, {}]) made[0]?.emit('raw', 'change', 'name', about)
  t.same(events, [])
  watch.close()
})

t.test(
  'what is closed stays closed: no event, no watch, no error that ends the process',
  async t => {
    const data = join(t.testdir(cluster), 'data')
    const { opener, made } = caught()
    const { watch, events } = await listen(rootsOf(data), opener)
    rmSync(join(data, 'global', 'pg_control'))
    watch.close()
    await turn()
    t.equal(watches(data), false)
    made[0]?.add(data)
    made[0]?.emit('error', new Error('late'))
    made[0]?.emit('raw', 'change', 'late', { watchedPath: data })
    mkdirSync(join(data, 'pg_wal'))
    const other = await listen([data])
    writeFileSync(join(data, 'PG_VERSION'), '18')
    await other.heard('data: rename PG_VERSION')
    t.same(events, [])
    t.equal(made[0]?.closed, true)
    other.watch.close()
  },
)

t.test('closed at any moment of arming, it leaves no watch behind', async t => {
  const { opener, made } = caught()
  for (let microtasks = 0; microtasks < 10; microtasks += 1) {
    const data = t.testdir({})
    const watch = opener([data], { raw: ignore, ready: ignore, error: ignore })
    const library = made.at(-1)?.['_nodeFsHandler']
    if (library === undefined) throw new Error('no instance was made')
    await new Promise<void>(resolve => {
      const original = library['_watchWithNodeFs'].bind(library)
      const closeSoon = async () => {
        for (let passed = 0; passed < microtasks; passed += 1) await Promise.resolve()
        watch.close()
        resolve()
      }
      library['_watchWithNodeFs'] = (...given) => {
        void closeSoon()
        return original(...given)
      }
    })
    await turn()
    t.equal(watches(data), false, `${microtasks} microtasks after the watch was made`)
  }
})

t.test('closed ones are forgotten', async t => {
  const data = join(t.testdir(cluster), 'data')
  for (let times = 0; times < 20; times += 1) {
    const { watch } = await listen(rootsOf(data))
    watch.close()
    await turn()
  }
  await turn()
  t.ok(queryObjects(QuietWatcher, { format: 'count' }) < 5)
})
