import { execFileSync } from 'node:child_process'
import { chmodSync, linkSync, mkdirSync, rmSync, statSync, symlinkSync } from 'node:fs'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  maintenanceOn,
  maintenanceWithoutReason,
  noMaintenance,
} from '../../../src/facts/decide/maintenance-mode.ts'
import type { Maintenance } from '../../../src/facts/decide/maintenance-mode.ts'
import {
  createMaintenanceWatch,
  readMaintenance,
} from '../../../src/observe/files/maintenance-file.ts'
import { deferred, settle } from '../../harness/manual-clock.ts'
import { createManualTimers } from '../../harness/manual-timers.ts'
import { asOrdinaryUser } from '../../harness/ordinary-user.ts'
import { shortageCodes, systemFailure } from '../../harness/system-failure.ts'
import { withoutDescriptors } from '../../harness/without-descriptors.ts'

const everyMs = 100
const kernel = maintenanceOn('new kernel')

const setUp = (first: Maintenance, path: string | null = '/run/maintenance') => {
  const { timers, advance, pending } = createManualTimers()
  let finds = first
  let hold: Promise<void> = Promise.resolve()
  let failure: Error | null = null
  let looks = 0
  let changes = 0
  const watch = createMaintenanceWatch({
    path,
    read: async asked => {
      t.equal(asked, path)
      looks += 1
      await hold
      if (failure !== null) throw failure
      return finds
    },
    timers,
    everyMs,
  })
  return {
    watch,
    pending,
    looks: () => looks,
    changes: () => changes,
    start: async () => {
      watch.start(() => {
        changes += 1
      })
      await settle()
    },
    find: (found: Maintenance) => {
      finds = found
    },
    fail: (by: Error | null) => {
      failure = by
    },
    /** Looks hang until the returned function is called. */
    hang: () => {
      const { promise, resolve } = deferred<void>()
      hold = promise
      return async () => {
        resolve()
        await settle()
      }
    },
    pass: async (ms: number) => {
      advance(ms)
      await settle()
    },
  }
}

t.test('no file is no maintenance', async t => {
  const path = join(t.testdir({}), 'maintenance')
  t.strictSame(await readMaintenance(path), noMaintenance)
  t.strictSame(await readMaintenance(join(path, 'below')), noMaintenance)
  t.strictSame(await readMaintenance(null), noMaintenance)
})

t.test('a file does, with its reason', async t => {
  const folder = t.testdir({ empty: '', text: 'Größerer Umbau\nsecond\n', long: 'x'.repeat(1e6) })
  t.strictSame(await readMaintenance(join(folder, 'empty')), maintenanceWithoutReason)
  t.strictSame(await readMaintenance(join(folder, 'text')), maintenanceOn('Größerer Umbau'))
  t.match(await readMaintenance(join(folder, 'long')), { because: /^x{200}\.\.\.$/ })
})

t.test('so is whatever else is there under that name', async t => {
  const folder = t.testdir({})
  const directory = join(folder, 'directory')
  mkdirSync(directory)
  t.strictSame(
    await readMaintenance(directory),
    maintenanceOn('the maintenance file is a directory'),
  )
  const fifo = join(folder, 'fifo')
  execFileSync('mkfifo', [fifo])
  t.strictSame(await readMaintenance(fifo), maintenanceOn('the maintenance file is a special file'))
  t.strictSame(
    await readMaintenance('/dev/zero'),
    maintenanceOn('the maintenance file is a special file'),
  )
})

t.test('a link is, wherever it leads, and what is there is not shown', async t => {
  const folder = t.testdir({ secret: 'localhost:5432:*:postgres:tiger\n' })
  const targets = ['secret', 'link', 'nowhere', '/dev/zero', '/', 'fifo']
  execFileSync('mkfifo', [join(folder, 'fifo')])
  for (const target of targets) {
    const link = join(folder, 'link')
    symlinkSync(target, link)
    t.strictSame(
      await readMaintenance(link),
      maintenanceOn('the maintenance file is a symbolic link'),
      target,
    )
    rmSync(link)
  }
})

t.test('a second name of a file is none to show it by', async t => {
  const folder = t.testdir({ secret: 'localhost:5432:*:postgres:tiger\n' })
  const path = join(folder, 'maintenance')
  linkSync(join(folder, 'secret'), path)
  t.strictSame(
    await readMaintenance(path),
    maintenanceOn('the maintenance file is a regular file with 2 hard links'),
  )
  rmSync(join(folder, 'secret'))
  t.match(await readMaintenance(path), { because: /tiger/ }, 'the same file with one name')
})

t.test('a file of others is, and neither is theirs shown', async t => {
  await asOrdinaryUser(async folder => {
    const path = join(folder, 'maintenance')
    writeFileSync(path, 'pwned\n')
    const { uid } = statSync(path)
    t.strictSame(await readMaintenance(path, uid), maintenanceOn('pwned'))
    t.strictSame(
      await readMaintenance(path, uid + 1),
      maintenanceOn(`the maintenance file is a regular file owned by user ID ${uid}`),
    )
    chmodSync(path, 0)
    t.strictSame(
      await readMaintenance(path, uid + 1),
      maintenanceOn(`the maintenance file is a regular file owned by user ID ${uid}`),
      'whether it can be read or not',
    )
    rmSync(path)
    symlinkSync('/etc/passwd', path)
    t.strictSame(
      await readMaintenance(path, uid + 1),
      maintenanceOn(`the maintenance file is a symbolic link owned by user ID ${uid}`),
    )
  })
})

t.test("a file of root's is shown to any user that reads it", async t => {
  t.match(await readMaintenance('/etc/passwd', 12_345), { because: /^root:/ })
})

t.test('an unreadable file counts, and a closed folder may contain one', async t => {
  await asOrdinaryUser(async top => {
    const folder = join(top, 'folder')
    mkdirSync(folder)
    const path = join(folder, 'maintenance')
    writeFileSync(path, 'new kernel\n')
    chmodSync(path, 0)
    t.strictSame(await readMaintenance(path), maintenanceWithoutReason)
    rmSync(path)
    chmodSync(folder, 0)
    t.strictSame(await readMaintenance(path), maintenanceOn(`could not read ${path}: EACCES`))
    chmodSync(folder, 0o700)
    t.strictSame(await readMaintenance(path), noMaintenance)
  })
})

t.test('nothing is known before the first check', async t => {
  const { watch, start, changes } = setUp(noMaintenance)
  t.strictSame(watch.current(), { kind: 'not yet checked' })
  await start()
  t.strictSame(watch.current(), noMaintenance)
  t.equal(changes(), 1)
})

t.test('a file is found at the next check, and each change reported once', async t => {
  const { watch, start, find, pass, changes } = setUp(noMaintenance)
  await start()
  find(kernel)
  await pass(everyMs - 1)
  t.strictSame(watch.current(), noMaintenance)
  await pass(1)
  t.strictSame(watch.current(), kernel)
  t.equal(changes(), 2)
  find(maintenanceOn('new kernel'))
  await pass(everyMs)
  t.equal(changes(), 2, 'the same again')
  find(maintenanceOn('another disk'))
  await pass(everyMs)
  t.strictSame(watch.current(), maintenanceOn('another disk'))
  t.equal(changes(), 3)
  find(noMaintenance)
  await pass(everyMs)
  t.strictSame(watch.current(), noMaintenance)
  await pass(everyMs)
  t.equal(changes(), 4)
})

t.test('a disk that hangs holds up nothing: what was found last counts', async t => {
  const { watch, start, find, hang, pass, looks, pending } = setUp(kernel)
  await start()
  const release = hang()
  await pass(everyMs)
  t.equal(looks(), 2)
  await pass(10 * everyMs)
  t.equal(looks(), 2, 'one look at a time')
  t.equal(pending(), 0)
  t.strictSame(watch.current(), kernel)
  find(noMaintenance)
  await release()
  t.strictSame(watch.current(), noMaintenance)
})

t.test('and when it hangs from the start, nothing is known', async t => {
  const { watch, start, hang, pass } = setUp(noMaintenance)
  hang()
  await start()
  await pass(10 * everyMs)
  t.strictSame(watch.current(), { kind: 'not yet checked' })
  watch.toggle()
  t.strictSame(watch.current(), maintenanceWithoutReason, 'but the switch works')
})

t.test('the switch sets maintenance mode, and the file does so independently', async t => {
  const { watch, start, find, pass, changes } = setUp(noMaintenance)
  await start()
  watch.toggle()
  t.strictSame(watch.current(), maintenanceWithoutReason)
  t.equal(changes(), 2)
  watch.toggle()
  t.strictSame(watch.current(), noMaintenance)
  t.equal(changes(), 3)
  find(kernel)
  await pass(everyMs)
  watch.toggle()
  t.strictSame(watch.current(), kernel)
  find(noMaintenance)
  await pass(everyMs)
  t.strictSame(watch.current(), maintenanceWithoutReason)
  watch.toggle()
  t.strictSame(watch.current(), noMaintenance)
})

t.test('without a file there is the switch alone, also before the start', async t => {
  const { watch, start, looks, pending, changes } = setUp(kernel, null)
  t.strictSame(watch.current(), noMaintenance)
  watch.toggle()
  t.strictSame(watch.current(), maintenanceWithoutReason)
  await start()
  t.equal(changes(), 0)
  watch.toggle()
  t.strictSame(watch.current(), noMaintenance)
  t.equal(changes(), 1)
  t.equal(looks(), 0)
  t.equal(pending(), 0)
})

t.test('after close, there are no more checks or reports', async t => {
  const waiting = setUp(noMaintenance)
  await waiting.start()
  waiting.watch.close()
  t.equal(waiting.pending(), 0)
  waiting.watch.toggle()
  t.equal(waiting.changes(), 1)

  const looking = setUp(kernel)
  const release = looking.hang()
  await looking.start()
  looking.watch.close()
  await release()
  t.equal(looking.pending(), 0)
  t.equal(looking.changes(), 0)
  setUp(kernel).watch.close()
})

t.test('an existing file sets maintenance mode, though it cannot be opened', async t => {
  const path = join(t.testdir({ maintenance: 'new kernel\n' }), 'maintenance')
  t.strictSame(await withoutDescriptors(() => readMaintenance(path)), maintenanceWithoutReason)
  t.strictSame(await readMaintenance(path), kernel)
})

t.test('in a shortage the last state remains', async t => {
  const { watch, start, pass, changes, fail, find } = setUp(noMaintenance)
  await start()
  for (const code of shortageCodes) {
    for (const found of [kernel, noMaintenance]) {
      find(found)
      await pass(everyMs)
      const before = changes()
      fail(systemFailure(code))
      await pass(everyMs)
      t.strictSame(watch.current(), found)
      t.equal(changes(), before)
      fail(null)
      await pass(everyMs)
    }
  }
  watch.close()
})
