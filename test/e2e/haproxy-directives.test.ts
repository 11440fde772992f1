/**
 * What single directives of the examples do, each with it and without it, in front of servers that
 * answer what the test says.
 */
import t, { type Test } from 'tap'
import { openFakeSession, startFakeMembers, type FakeMembers } from '../harness/fake-members.ts'
import { haproxyFor, leadsTo, type Haproxy } from '../harness/haproxy.ts'
import { needProgram } from '../harness/needs.ts'
import { replaceEach } from '../harness/recipes.ts'
import { readExample } from '../harness/repository.ts'
import { until } from '../harness/until.ts'

t.setTimeout(120_000)

const haproxyProgram = needProgram('haproxy')
const config = readExample('haproxy.cfg')

type Started = { readonly haproxy: Haproxy; readonly write: number; readonly read: number }

const start = async (t: Test, members: FakeMembers, text: string): Promise<Started> => {
  const routes = await members.configure(text)
  const haproxy = await haproxyFor(t, { program: haproxyProgram.get(), config: routes.config })
  return { haproxy, write: routes.write, read: routes.read }
}

const each = async (
  started: readonly Started[],
  ...[what, seen]: Parameters<Haproxy['sees']>
): Promise<void> => {
  for (const { haproxy } of started) await haproxy.sees(what, seen)
}

const visits = 32

/** How many of so many new sessions come to this server. */
const share = async (t: Test, port: number, server: string): Promise<number> => {
  let came = 0
  for (let visit = 0; visit < visits; visit += 1) {
    if ((await openFakeSession(t, port)).server === server) came += 1
  }
  return came
}

const slow = 'slowstart: a standby that comes back gets its share by and by'
t.test(slow, haproxyProgram.options, async t => {
  const members = await startFakeMembers(t)
  const { s1, s2, s3 } = members
  s1.answers('primary')
  for (const standby of [s2, s3]) standby.answers('standby')
  const shown = await start(t, members, config)
  const brief = await start(t, members, replaceEach(config, { 'slowstart 30s': 'slowstart 2s' }))
  const without = await start(t, members, replaceEach(config, { ' slowstart 30s': '' }))
  const all = [shown, brief, without]
  await each(all, 'two standbys', leadsTo('read-only', 's2', 's3'))
  s2.answers('nothing')
  await each(all, 'one standby', leadsTo('read-only', 's3'))
  s2.answers('standby')
  await each(all, 'two standbys again', leadsTo('read-only', 's2', 's3'))
  t.equal(await share(t, without.read, 's2'), visits / 2)
  const few = await share(t, shown.read, 's2')
  t.ok(few <= visits / 4, `${few} of ${visits}`)
  const hasItsShare = async (): Promise<boolean> =>
    (await share(t, brief.read, 's2')) === visits / 2
  await until(hasItsShare, { what: 'it to have its share', everyMs: 200 })
})

const backupCut = ' on-marked-down shutdown-sessions on-marked-up shutdown-backup-sessions'

const back = 'on-marked-up shutdown-backup-sessions would cut writers off the new primary'
t.test(back, haproxyProgram.options, async t => {
  const members = await startFakeMembers(t)
  const { s1, s2, s3 } = members
  s1.answers('primary')
  for (const standby of [s2, s3]) standby.answers('standby')
  const shown = await start(t, members, config)
  const withIt = replaceEach(config, { ' on-marked-down shutdown-sessions': backupCut })
  const added = await start(t, members, withIt)
  const both = [shown, added]
  await each(both, 'the primary', leadsTo('read-write', 's1'))
  s1.answers('nothing')
  s2.answers('primary')
  await each(both, 'the new primary', leadsTo('read-write', 's2'))
  const [kept, lost] = [
    await openFakeSession(t, shown.write),
    await openFakeSession(t, added.write),
  ]
  t.strictSame([kept.server, lost.server], ['s2', 's2'])
  // The old primary comes back as it was, and no daemon knows better.
  s1.answers('primary')
  await each(both, 'two primaries', leadsTo('read-write', 's1', 's2'))
  t.equal(await lost.goesOn(), false)
  t.equal(await kept.goesOn(), true)
  // Without it, sessions end as soon as their server is no primary any more.
  s2.answers('standby')
  await each(both, 'the old primary', leadsTo('read-write', 's1'))
  t.equal(await kept.goesOn(), false)
})

const ordered = 'health down on the socket ends sessions before a check has failed'
t.test(ordered, haproxyProgram.options, async t => {
  const members = await startFakeMembers(t)
  members.s1.answers('primary')
  for (const standby of [members.s2, members.s3]) standby.answers('standby')
  const { haproxy, write } = await start(t, members, config)
  await haproxy.sees('the primary', leadsTo('read-write', 's1'))
  const session = await openFakeSession(t, write)
  t.equal(await session.goesOn(), true)
  // Its checks go on to succeed, so that nothing else can end the session.
  await haproxy.order('set server read-write/s1 health down')
  await until(session.isCut, { what: 'the session to be cut off' })
  await haproxy.sees('the primary again', leadsTo('read-write', 's1'))
})

const unchecked = 'until its first check a server is up, if its version knows no better'
t.test(unchecked, haproxyProgram.options, async t => {
  const members = await startFakeMembers(t)
  // Time for a busy machine: as long as no check has failed.
  const patient = replaceEach(config, { 'timeout check 1s': 'timeout check 10s' })
  const { haproxy, write } = await start(t, members, patient)
  t.equal((await openFakeSession(t, write)).server, 's1')
  for (const { answers } of [members.s1, members.s2, members.s3]) answers('standby')
  await haproxy.sees('no primary', leadsTo('read-write'))
})
