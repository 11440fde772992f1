import t from 'tap'
import type { UnixMs } from '../../../src/facts/units.ts'
import { createWatchHealth } from '../../../src/observe/watch/watch-health.ts'
import {
  directory,
  noSignalFiles,
  primaryEvidence,
  standbyEvidence,
} from '../../harness/evidence.ts'
import { createManualTimers } from '../../harness/manual-timers.ts'

const setUp = () => {
  const { timers, advance, now, pending } = createManualTimers()
  const told: string[] = []
  const health = createWatchHealth({
    timers,
    monotonic: now,
    degraded: because => told.push(because),
    restored: () => told.push('restored'),
  })
  return { health, advance, pending, told }
}
const before = standbyEvidence()
const after = standbyEvidence({ lockFile: { kind: 'absent' } })
const silent = 'files change without events on this file system'

t.test('changes that come with events are as they should be', async t => {
  const { health, advance, told, pending } = setUp()
  health.armed()
  advance(1000)
  for (const _ of [1, 2, 3]) {
    health.hinted()
    health.looked(before, after)
    advance(1000)
    health.looked(before, after)
    advance(50)
    health.hinted()
    advance(1000)
  }
  t.strictSame(told, [])
  t.equal(health.polling(), false)
  t.equal(pending(), 0)
})

t.test('two changes running without an event near mean that events do not work here', async t => {
  const { health, advance, told } = setUp()
  health.armed()
  advance(1000)
  health.looked(before, after)
  advance(100)
  t.strictSame(told, [], 'one may be bad luck')
  health.looked(before, after)
  health.looked(before, after)
  advance(100)
  t.strictSame(told, [silent])
  t.equal(health.polling(), true)

  t.test('which is reported once', async t => {
    health.looked(before, after)
    advance(100)
    t.strictSame(told, [silent])
  })

  t.test('and arming again proves nothing, but an event does', async t => {
    health.armed()
    t.equal(health.polling(), true)
    health.hinted()
    t.equal(health.polling(), false)
    health.hinted()
    t.strictSame(told, [silent, 'restored'])
  })
})

t.test('an event between two misses shows that events work', async t => {
  const { health, advance, told } = setUp()
  health.armed()
  advance(1000)
  health.looked(before, after)
  advance(200)
  health.hinted()
  advance(200)
  health.looked(before, after)
  advance(200)
  t.strictSame(told, [])
})

t.test('before anything is armed no event is due', async t => {
  const { health, pending } = setUp()
  health.looked(before, after)
  t.equal(pending(), 0)
})

t.test('a watcher that cannot arm is bridged by polling until it can', async t => {
  const { health, advance, told, pending } = setUp()
  health.armed()
  advance(1000)
  health.looked(before, after)
  health.trouble('ENOSPC')
  t.equal(pending(), 0, 'no event is waited for any more')
  health.trouble('ENOSPC')
  health.hinted()
  t.equal(health.polling(), true)
  health.armed()
  t.strictSame(told, ['ENOSPC', 'restored'])
})

t.test('closed, it waits for nothing', async t => {
  const { health, advance, pending } = setUp()
  health.armed()
  advance(1000)
  health.looked(before, after)
  health.close()
  t.equal(pending(), 0)
})

t.test('an event is due for what is written, made or removed in the directory', async t => {
  const { lockFile } = before
  const written = { ...lockFile, modified: 1 as UnixMs } as typeof lockFile
  const other = { ...directory(), inode: '1:99' }
  const absent = { kind: 'absent' } as const
  for (const [found, isDue] of [
    [{ ...before, lockFile: written }, true],
    [{ ...before, lockFile: absent }, true],
    [{ ...before, signalFiles: noSignalFiles }, true],
    [{ ...before }, false],
    [{ ...before, children: primaryEvidence().children }, false],
    [{ ...before, signalFiles: noSignalFiles, directory: other }, false],
    [{ ...before, signalFiles: noSignalFiles, directory: absent }, false],
  ] as const) {
    const { health, advance, pending } = setUp()
    health.armed()
    advance(1000)
    health.looked(before, found)
    t.equal(pending() === 1, isDue)
  }
  const { health, advance, pending } = setUp()
  health.armed()
  advance(1000)
  health.looked({ ...before, directory: absent }, before)
  t.equal(pending(), 0)
})
