import t from 'tap'
import type { Evidence } from '../../../src/facts/decide/evidence.ts'
import type { Member } from '../../../src/facts/decide/member.ts'
import type { WhenSuperseded } from '../../../src/facts/decide/standing.ts'
import { decide } from '../../../src/facts/decide/verdict.ts'
import { fact, fault } from '../../../src/facts/outcome.ts'
import type { Event } from '../../../src/facts/report/event.ts'
import type { Lsn, Pid } from '../../../src/facts/units.ts'
import type { Peer, PeerAnswer } from '../../../src/observe/peers/peer-request.ts'
import { createPeerWatch } from '../../../src/observe/peers/peer-watch.ts'
import { lockFile, primaryEvidence, seen, standbyEvidence } from '../../harness/evidence.ts'
import { createManualClock, deferred, settle } from '../../harness/manual-clock.ts'
import { member, primaryOn } from '../../harness/standing-table.ts'
import { promoted, timelineHistory } from '../../harness/timelines.ts'

const second = promoted(timelineHistory(1), 0x300n)
const third = promoted(second, 0x500n)
const replaced = member({ history: third, answer: 'primary' })

const own = primaryOn(second)
const standby = standbyEvidence({ timelineHistory: { kind: 'present', fact: second } })
const down = primaryEvidence({ lockFile: { kind: 'absent' } })
const restarted: Evidence = { ...own, lockFile: seen(lockFile({ pid: 4800 as Pid })) }

type Options = {
  readonly hosts?: readonly string[]
  readonly whenSuperseded?: WhenSuperseded
  /** Of our own log. */
  readonly position?: Lsn | null
}

/** Peers that answer when the test says. */
const setUp = ({
  hosts = ['s2'],
  whenSuperseded = 'unavailable',
  position = null,
}: Options = {}) => {
  const { clock, advance, oversleep, pending } = createManualClock()
  const events: Event[] = []
  const asked: string[] = []
  const open = new Map<string, (answer: PeerAnswer) => void>()
  let heard = 0
  let positionsRead = 0
  const watch = createPeerWatch({
    peers: hosts.map((host): Peer => ({ text: host, secure: false, host, port: 8008 })),
    ask: ({ host }) => {
      asked.push(host)
      const { promise, resolve } = deferred<PeerAnswer>()
      open.set(host, resolve)
      return { answer: promise, cancel: () => resolve(fault('canceled')) }
    },
    clock,
    intervalMs: 500,
    timeoutMs: 1000,
    ageMsMax: 1500,
    whenSuperseded,
    walPosition: () => {
      positionsRead += 1
      return Promise.resolve(position)
    },
    instance: 'own',
    report: event => events.push(event),
    heard: () => {
      heard += 1
    },
  })
  const judge = (evidence: Evidence) => {
    const { overruling, hazards } = watch.judge(evidence, decide(evidence))
    return overruling?.rule ?? hazards.map(({ name }) => name).join()
  }
  const answer = async (host: string, found: PeerAnswer): Promise<void> => {
    open.get(host)?.(found)
    await settle()
  }
  return {
    judge,
    asked,
    events,
    advance,
    oversleep,
    pending,
    close: watch.close,
    heard: () => heard,
    positionsRead: () => positionsRead,
    because: (evidence: Evidence) => watch.judge(evidence, decide(evidence)).overruling?.because,
    words: watch.words,
    heardSince: watch.heardSince,
    sights: watch.sights,
    hears: (found: Member, host = 's2') => answer(host, fact(found)),
    hearsNothing: (because = 'ECONNREFUSED', host = 's2') => answer(host, fault(because)),
  }
}

t.test('without peers nothing is waited for', async t => {
  const { judge, pending } = setUp({ hosts: [] })
  t.equal(judge(primaryEvidence({ timelineHistory: { kind: 'being read' } })), '')
  t.equal(pending(), 0)
})

t.test('a primary that is found waits for the answer of each peer', async t => {
  const { judge, hears, hearsNothing, heard } = setUp({ hosts: ['s2', 's3'] })
  t.equal(judge(own), 'asking peers')
  await settle()
  t.equal(heard(), 1, 'our own position')
  await hears(member())
  t.equal(judge(own), 'asking peers')
  await hearsNothing('no answer within 1000 ms', 's3')
  t.equal(heard(), 3)
  t.equal(judge(own), '')
})

t.test('it waits for its own history as well', async t => {
  const { judge, hears } = setUp()
  const unread = primaryEvidence({ timelineHistory: { kind: 'being read' } })
  judge(unread)
  await hears(replaced)
  t.equal(judge(unread), 'asking peers')
  t.equal(judge(own), 'superseded')
})

t.test('a promotion that was watched waits for no peer', async t => {
  const { judge, asked } = setUp()
  t.equal(judge(standby), '')
  t.equal(judge(own), '')
  t.strictSame(asked, ['s2', 's2'], 'but the peers are asked at once')
})

t.test('another postmaster is another server, whatever was before', async t => {
  const { judge, hears, asked } = setUp()
  judge(standby)
  await hears(member())
  t.equal(judge(own), '')
  t.equal(judge(down), '')
  t.equal(judge(restarted), 'asking peers')
  t.equal(asked.length, 3)
  await hears(member())
  t.equal(judge(restarted), '')
})

t.test('a primary that is still reading its history is asked again', async t => {
  const { judge, hears, advance, asked } = setUp()
  const unread = member({ answer: 'primary', history: null })
  judge(own)
  await hears(unread)
  t.equal(judge(own), 'asking peers')
  advance(20)
  t.equal(asked.length, 2, 'soon')
  await hears(replaced)
  t.equal(judge(own), 'superseded')
  advance(999)
  t.equal(asked.length, 2)
})

t.test('a primary that cannot read its history is not waited for longer than another', async t => {
  const { judge, hears, advance, asked } = setUp()
  const unread = member({ answer: 'primary', history: null })
  judge(own)
  for (let ms = 0; ms < 1000; ms += 20) {
    await hears(unread)
    t.equal(judge(own), 'asking peers')
    advance(20)
  }
  await hears(unread)
  t.equal(judge(own), 'another primary')
  t.equal(asked.length, 51)
  advance(999)
  t.equal(asked.length, 51)
})

t.test('a peer that answered at the start is waited for once more at its end', async t => {
  const starting = { ...own, lockFile: seen(lockFile({ status: 'starting' })) }
  const { judge, hears, hearsNothing, advance, asked } = setUp({ hosts: ['s2', 's3'] })
  judge(starting)
  await hears(member())
  await hearsNothing('ECONNREFUSED', 's3')
  t.strictSame(asked, ['s2', 's3'])
  advance(900)
  t.equal(judge(own), 'asking peers')
  t.strictSame(asked, ['s2', 's3', 's2', 's3'], 'all are asked at once')
  await hears(replaced)
  t.equal(judge(own), 'superseded', 'the silent one is not waited for')
})

t.test('a superseded server remains so when the new primary stops answering', async t => {
  const { judge, hears, hearsNothing, advance, asked } = setUp()
  judge(own)
  await hears(replaced)
  t.equal(judge(own), 'superseded')
  for (let rounds = 0; rounds < 10; rounds += 1) {
    advance(1000)
    await hearsNothing()
    t.equal(judge(own), 'superseded')
  }
  t.equal(asked.length, 11)
  // Re-cloned and promoted in turn.
  t.equal(judge(primaryOn(promoted(third, 0x700n))), '')
})

t.test('peers are asked once a second', async t => {
  const { judge, hears, asked, advance } = setUp()
  judge(own)
  await hears(member())
  advance(999)
  t.equal(asked.length, 1)
  advance(1)
  t.equal(asked.length, 2)
  advance(10_000)
  t.equal(asked.length, 2, 'one question at a time')
})

t.test('after this process was suspended the peers are asked first', async t => {
  const { judge, hears, oversleep } = setUp()
  judge(standby)
  await hears(member())
  judge(own)
  await hears(member())
  oversleep(4001)
  t.equal(judge(own), 'asking peers')
  await hears(replaced)
  t.equal(judge(own), 'superseded')
})

t.test('another primary is a hazard as long as it answers', async t => {
  const { judge, hears, hearsNothing, advance } = setUp()
  const diverged = member({ answer: 'primary', history: promoted(timelineHistory(1), 0x400n) })
  judge(own)
  await hears(diverged)
  t.equal(judge(own), 'another primary')
  for (let rounds = 0; rounds < 4; rounds += 1) {
    advance(1000)
    await hearsNothing()
  }
  t.equal(judge(own), 'another primary')
  advance(1)
  t.equal(judge(own), '')
})

t.test('with --when-superseded warn nothing is waited for', async t => {
  const { judge, hears } = setUp({ whenSuperseded: 'warn' })
  t.equal(judge(own), '')
  await hears(replaced)
  t.equal(judge(own), 'superseded')
})

t.test('a peer that is this daemon is ignored, until it is another', async t => {
  const { judge, hears, events, advance } = setUp()
  judge(own)
  await hears(member({ instance: 'own', answer: 'primary' }))
  t.equal(judge(own), '')
  advance(1000)
  await hears(member({ instance: 'own', answer: 'primary' }))
  t.strictSame(events, [{ kind: 'peer is this server', peer: 's2' }])
  advance(1000)
  await hears(replaced)
  t.equal(judge(own), 'superseded')
})

t.test('what is new is reported, and nothing twice', async t => {
  const { judge, hears, hearsNothing, events, advance } = setUp()
  judge(own)
  const answers = [
    () => hearsNothing(),
    () => hearsNothing(),
    () => hearsNothing('no answer within 1000 ms'),
    () => hearsNothing(),
    () => hears(member()),
    () => hears(member()),
    () => hears(member({ history: null })),
    () => hears(replaced),
    () => hearsNothing(),
  ]
  for (const answer of answers) {
    await answer()
    advance(1000)
  }
  const silent = (because: string) => ({ kind: 'peer check failed', peer: 's2', because })
  const told = (role: string, timeline: number | null) => ({
    kind: 'peer changed',
    peer: 's2',
    role,
    timeline,
  })
  t.strictSame(events, [
    silent('ECONNREFUSED'),
    silent('no answer within 1000 ms'),
    told('standby', 2),
    told('standby', null),
    told('primary', 3),
    silent('ECONNREFUSED'),
  ])
})

t.test('at the end no question is left open', async t => {
  const { judge, close, pending, hears, heard, events, advance } = setUp()
  judge(own)
  close()
  await settle()
  t.strictSame([pending(), heard(), events.length], [0, 0, 0])
  const later = setUp()
  later.judge(own)
  await later.hears(member())
  t.equal(later.pending(), 1)
  later.close()
  t.equal(later.pending(), 0)
  await hears(member())
  advance(1000)
})

t.test('a server that is down has peers as well, which are asked again when it comes', async t => {
  const { judge, asked, hears } = setUp()
  t.equal(judge(down), '')
  await hears(replaced)
  t.equal(asked.length, 1)
  t.equal(judge(own), 'superseded')
  t.equal(asked.length, 2)
})

t.test('the end of our own log is read once for each server', async t => {
  const { judge, hears, because, positionsRead, close } = setUp({ position: 0x2500n as Lsn })
  judge(own)
  await hears(replaced)
  t.match(because(own), /, 8192 bytes before the end of its write-ahead log$/)
  judge(own)
  t.equal(positionsRead(), 1)
  judge(restarted)
  close()
  await settle()
  t.equal(positionsRead(), 2)
})

t.test('the last answers are available, and the time from which they count', async t => {
  const { judge, hears, words, heardSince, advance } = setUp()
  t.strictSame(words(), [])
  advance(5000)
  judge(own)
  await hears(replaced)
  t.match(words(), [{ peer: 's2', member: replaced, heardAt: 5000 }])
  t.equal(heardSince(), 1000)
})

t.test('a server that sends another reason each time does not fill the log', async t => {
  const { judge, hearsNothing, events, advance } = setUp()
  judge(own)
  for (let reason = 0; reason < 20; reason += 1) {
    await hearsNothing(`HTTP status 500: ${reason}`)
    advance(1000)
  }
  t.equal(events.length, 8)
})

t.test('what each peer was, and from when on, is kept', async t => {
  const { judge, hears, hearsNothing, sights, advance } = setUp({})
  const phases = () => sights().map(sight => sight.phases)[0]
  t.strictSame(phases(), [])
  judge(own)
  await hears(member({ because: 'first' }))
  const begin = phases()?.[0]?.since ?? 0
  advance(1000)
  await hears(member({ because: 'the same, later' }))
  advance(1000)
  await hearsNothing()
  advance(1000)
  await hearsNothing('no answer within 1000 ms')
  advance(1000)
  await hears(member({ answer: 'primary', rule: 'in production' }))
  t.match(phases(), [
    { since: begin, answer: 'standby', because: 'first' },
    { since: begin + 2000, answer: null, because: 'ECONNREFUSED' },
    { since: begin + 4000, answer: 'primary' },
  ])
  t.equal(phases()?.length, 3)
})

t.test('each peer can be seen as it is known now', async t => {
  const { judge, hears, hearsNothing, sights, advance, oversleep } = setUp({ hosts: ['s2', 's3'] })
  const address = { text: 's2', secure: false, host: 's2', port: 8008 }
  const silentBecause = 'it has not answered yet'
  t.match(sights(), [
    { address, isSelf: false, member: null, ageMs: null, silentBecause },
    { address: { host: 's3' }, isSelf: false, member: null, ageMs: null, silentBecause },
  ])
  judge(own)
  await hears(replaced)
  await hears(member({ instance: 'own' }), 's3')
  advance(250)
  t.match(sights(), [
    { isSelf: false, member: replaced, ageMs: 250, silentBecause: null },
    { isSelf: true, member: null },
  ])
  advance(750)
  await hearsNothing()
  await hearsNothing('ECONNREFUSED', 's3')
  t.match(sights(), [
    { member: replaced, ageMs: 1000, silentBecause: 'ECONNREFUSED' },
    { member: null, silentBecause: 'ECONNREFUSED' },
  ])
  advance(1000)
  await hears(replaced)
  oversleep(60_000)
  t.match(sights(), [{ member: replaced, ageMs: 60_000, silentBecause }, {}])
})
