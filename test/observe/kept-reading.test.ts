import t from 'tap'
import { createKeptReading, type Stamp } from '../../src/observe/kept-reading.ts'
import { createManualClock } from '../harness/manual-clock.ts'

const written = 1_767_268_800_123_456_789n
const stamp = (changes: Partial<Stamp> = {}): Stamp => ({
  dev: 1n,
  ino: 2n,
  size: 8192n,
  mtimeNs: written,
  ctimeNs: written,
  ...changes,
})

const setUp = (keeps: (device: bigint) => boolean = () => true) => {
  const { clock, advance } = createManualClock()
  const kept = createKeptReading<string>({ clock, keeps })
  const read = (reading: string, found: Stamp | null = stamp()) =>
    kept.note(reading, found, kept.begin())
  /** Reads twice, a second apart. */
  const settle = (reading: string, found: Stamp = stamp()) => {
    read(reading, found)
    advance(1000)
    read(reading, found)
  }
  return { kept, read, settle, advance }
}

t.test('what stood still for a second before it was read is kept', async t => {
  const { kept, read, advance } = setUp()
  read('one')
  t.equal(kept.provenBy(stamp()), null)
  advance(999)
  read('one')
  t.equal(kept.provenBy(stamp()), null)
  advance(1)
  t.equal(kept.provenBy(stamp()), null, 'only when it is read once more')
  read('one')
  t.equal(kept.provenBy(stamp()), 'one')
  t.equal(kept.presumed(), 'one')
})

t.test('a reading counts from when it began, a stamp from when it was had', async t => {
  const { kept, advance } = setUp()
  const first = kept.begin()
  advance(400)
  kept.note('slow', stamp(), first)
  advance(800)
  const second = kept.begin()
  advance(400)
  kept.note('slow', stamp(), second)
  t.equal(kept.provenBy(stamp()), null, 'began 800 ms after the stamp was had')
})

t.test(
  'a file written again within one tick of file times is never taken for the same',
  async t => {
    const { kept, read, advance } = setUp()
    for (const content of ['one', 'two', 'three']) {
      read(content)
      advance(4)
      t.equal(kept.provenBy(stamp()), null)
      t.equal(kept.presumed(), null)
    }
  },
)

t.test('whatever differs of the stamp, the reading is no longer right', async t => {
  const { kept, settle } = setUp()
  settle('one')
  for (const changes of [
    { dev: 9n },
    { ino: 9n },
    { size: 9n },
    { mtimeNs: written - 1n },
    { mtimeNs: written + 1n },
    { ctimeNs: written + 1n },
    { ctimeNs: written - 3_600_000_000_000n },
  ]) {
    t.equal(kept.provenBy(stamp(changes)), null)
  }
  t.equal(kept.provenBy(stamp()), 'one')
})

t.test('a time of modification set back does not hide a write', async t => {
  const { kept, settle } = setUp()
  settle('one')
  t.equal(kept.provenBy(stamp({ mtimeNs: written, ctimeNs: written + 4_000_000n })), null)
})

t.test('however the clock of the files is set, a stamp has to stand still to count', async t => {
  const hour = 3_600_000_000_000n
  const { kept, read, advance } = setUp()
  for (const [content, at] of [
    ['before the step', written],
    ['an hour back', written - hour],
    ['two hours on', written + hour],
    ['an hour back once more, the same tick by chance', written - hour],
  ] as const) {
    const found = stamp({ mtimeNs: at, ctimeNs: at })
    read(content, found)
    t.equal(kept.provenBy(found), null)
    advance(999)
    read(content, found)
    t.equal(kept.provenBy(found), null)
    advance(1)
  }
})

t.test('what was kept under another stamp does not come back with it', async t => {
  const { kept, settle, read } = setUp()
  settle('one')
  read('two', stamp({ ctimeNs: written + 1n }))
  t.equal(kept.provenBy(stamp()), null)
  read('three')
  t.equal(kept.provenBy(stamp()), null)
})

t.test('where file times are coarse, nothing is kept', async t => {
  const { kept, settle } = setUp()
  for (const ctimeNs of [1_767_268_800_000_000_000n, 1_767_268_800_010_000_000n]) {
    settle('one', stamp({ ctimeNs }))
    t.equal(kept.provenBy(stamp({ ctimeNs })), null)
  }
})

t.test('on a device whose times can not be relied on, nothing is kept', async t => {
  const { kept, settle } = setUp(device => device === 1n)
  settle('one', stamp({ dev: 7n }))
  t.equal(kept.provenBy(stamp({ dev: 7n })), null)
  settle('one')
  t.equal(kept.provenBy(stamp()), 'one')
})

t.test('an event ends it, and the stamp has to stand still anew', async t => {
  const { kept, settle, read, advance } = setUp()
  settle('one')
  kept.forget()
  t.equal(kept.provenBy(stamp()), null)
  read('two')
  t.equal(kept.provenBy(stamp()), null)
  advance(1000)
  read('two')
  t.equal(kept.provenBy(stamp()), 'two')
})

t.test('an event during a reading lets it not be kept', async t => {
  const { kept, settle, advance } = setUp()
  settle('one')
  const began = kept.begin()
  kept.forget()
  advance(5)
  kept.note('half-written', stamp(), began)
  t.equal(kept.provenBy(stamp()), null)
})

t.test('nothing is kept for longer than a minute', async t => {
  const { kept, settle, read, advance } = setUp()
  settle('one')
  advance(59_999)
  t.equal(kept.provenBy(stamp()), 'one')
  advance(1)
  t.equal(kept.provenBy(stamp()), null)
  t.equal(kept.presumed(), null)
  read('one')
  t.equal(kept.provenBy(stamp()), 'one', 'and one more reading is enough')
})

t.test('that there is nothing may be presumed, but is never proven', async t => {
  const { kept, read, settle } = setUp()
  t.equal(kept.presumed(), null)
  read('nothing', null)
  t.equal(kept.presumed(), 'nothing')
  t.equal(kept.provenBy(stamp()), null)
  settle('one')
  read('nothing', null)
  read('one')
  t.equal(kept.provenBy(stamp()), null, 'a file that comes back has to stand still')
})
