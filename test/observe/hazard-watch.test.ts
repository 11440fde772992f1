import t from 'tap'
import type { Event } from '../../src/facts/report/event.ts'
import type { Hazard } from '../../src/facts/decide/hazards.ts'
import type { MonotonicMs } from '../../src/facts/units.ts'
import { createHazardWatch } from '../../src/observe/hazard-watch.ts'

const bare: Hazard = { name: 'standby without signal file', warning: 'a second primary' }
const label: Hazard = { name: 'primary with backup_label', warning: 'an old checkpoint' }

const setUp = () => {
  const events: Event[] = []
  const { found } = createHazardWatch(event => events.push(event))
  return { events, at: (ms: number, ...hazards: Hazard[]) => found(hazards, ms as MonotonicMs) }
}

t.test('a hazard that lasts is reported once, and once when it has ended', async t => {
  const { at, events } = setUp()
  at(0, bare)
  at(999, bare)
  t.strictSame(events, [])
  at(1000, bare)
  at(1500, bare)
  t.strictSame(events, [{ kind: 'hazard began', hazard: bare }])
  at(2000)
  at(2500)
  t.strictSame(events.slice(1), [{ kind: 'hazard ended', hazard: bare }])
})

t.test('the moment in which a promotion has removed its signal file is none', async t => {
  const { at, events } = setUp()
  at(0, bare)
  at(117)
  at(5000, bare)
  at(5100)
  t.strictSame(events, [])
})

t.test('one does not hide the other', async t => {
  const { at, events } = setUp()
  at(0, bare)
  at(900, bare, label)
  at(1000, bare, label)
  at(1900, label)
  t.strictSame(
    events.map(event => [event.kind, 'hazard' in event && event.hazard.name]),
    [
      ['hazard began', bare.name],
      ['hazard began', label.name],
      ['hazard ended', bare.name],
    ],
  )
})
