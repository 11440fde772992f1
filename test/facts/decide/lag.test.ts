import t from 'tap'
import { lagOf } from '../../../src/facts/decide/lag.ts'
import type { Evidence } from '../../../src/facts/decide/evidence.ts'
import { hear } from '../../../src/facts/decide/standing.ts'
import type { Lsn, MonotonicMs, SystemIdentifier } from '../../../src/facts/units.ts'
import { standbyEvidence } from '../../harness/evidence.ts'
import { member, primaryOn } from '../../harness/standing-table.ts'
import { promoted, timelineHistory } from '../../harness/timelines.ts'

const second = promoted(timelineHistory(1), 0x300n)
const now = 1000 as MonotonicMs
const lsn = (position: number): Lsn => BigInt(position) as Lsn

const standby = (changes: Partial<Evidence> = {}): Evidence =>
  standbyEvidence({
    timelineHistory: { kind: 'present', fact: second },
    walPosition: lsn(0x500_2000),
    ...changes,
  })

const primary = (changes: Parameters<typeof member>[0] = {}, peer = 's1:8008') => {
  const told = member({ answer: 'primary', walPosition: lsn(0x500_4000), ...changes })
  return hear(null, { peer, member: told, heardAt: now }, 1500)
}

t.test('the lag is what the primary of the same timeline has more', async t => {
  t.equal(lagOf(standby(), [primary()], now), 0x2000)
  const other = primary({ answer: 'standby', walPosition: lsn(0x900_0000) }, 's3:8008')
  t.equal(lagOf(standby(), [other, primary()], now), 0x2000)
})

t.test('it is never below 0', async t => {
  t.equal(lagOf(standby(), [primary({ walPosition: lsn(0x500_0000) })], now), 0)
})

t.test('without such a primary, or a position, it is unknown', async t => {
  const others = [
    [],
    [primary({ answer: 'unavailable' })],
    [primary({ history: null })],
    [primary({ history: promoted(second, 0x500n) })],
    [primary({ walPosition: null })],
    [primary({ systemIdentifier: 1n as SystemIdentifier })],
    [primary(), primary({}, 's3:8008')],
  ]
  for (const words of others) t.equal(lagOf(standby(), words, now), null)
  t.equal(lagOf(standby(), [primary()], (now + 1) as MonotonicMs), null)
  t.equal(lagOf(standby({ walPosition: null }), [primary()], now), null)
  const unread = { kind: 'unknown', because: 'there is no 00000002.history' } as const
  t.equal(lagOf(standby({ timelineHistory: unread }), [primary()], now), null)
})

t.test('a primary has none', async t => {
  t.equal(lagOf({ ...primaryOn(second), walPosition: lsn(1) }, [primary()], now), null)
})
