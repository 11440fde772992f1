/** From 3.4 on: checks that stand once in the file, used by the servers of both ports. */
import t, { type Test } from 'tap'
import { openFakeSession, startFakeMembers, type FakeMembers } from '../harness/fake-members.ts'
import { haproxyFor, leadsTo } from '../harness/haproxy.ts'
import { playHaproxyStory } from '../harness/haproxy-story.ts'
import { needProgram } from '../harness/needs.ts'
import { replaceEach } from '../harness/recipes.ts'
import { readExample } from '../harness/repository.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const program = needProgram('haproxy').get()
const example = readExample('haproxy-3.4.cfg')
const fallback = /^ +server s\d-primary .*\n/gm

const start = async (t: Test, members: FakeMembers, text: string) => {
  const { config, write, read } = await members.configure(text)
  return { haproxy: await haproxyFor(t, { program, config }), write, read }
}

t.test('the check for a primary serves both ports', async t => {
  const members = await startFakeMembers(t)
  const { s1, s2, s3 } = members
  const { haproxy, write, read } = await start(t, members, example)
  t.equal((await openFakeSession(t, write)).server, '', 'nobody is up before')
  s1.answers('primary')
  for (const standby of [s2, s3]) standby.answers('standby')
  await haproxy.sees('the primary', leadsTo('read-write', 's1'))
  await haproxy.sees('standbys', leadsTo('read-only', 's2', 's3', 's1-primary'))
  t.equal((await openFakeSession(t, write)).server, 's1')
  const readers = [await openFakeSession(t, read), await openFakeSession(t, read)]
  t.strictSame(new Set(readers.map(({ server }) => server)), new Set(['s2', 's3']))

  await t.test('readers reach the primary while there is no standby', async t => {
    s2.answers('primary')
    for (const other of [s1, s3]) other.answers('nothing')
    await haproxy.sees('the new primary', leadsTo('read-write', 's2'))
    await haproxy.sees('it for readers', leadsTo('read-only', 's2-primary'))
    const reader = await openFakeSession(t, read)
    t.equal(reader.server, 's2')
    s3.answers('standby')
    await haproxy.sees('a standby again', leadsTo('read-only', 's3', 's2-primary'))
    t.equal((await openFakeSession(t, read)).server, 's3')
    t.equal(await reader.goesOn(), true)
  })
})

t.test('without balance readers are distributed at random', async t => {
  const members = await startFakeMembers(t)
  members.s1.answers('primary')
  for (const standby of [members.s2, members.s3]) standby.answers('standby')
  const shown = await start(t, members, example)
  const without = await start(t, members, replaceEach(example, { '    balance roundrobin\n': '' }))
  const inTurns = async ({ haproxy, read }: typeof shown): Promise<boolean> => {
    await haproxy.sees('standbys', leadsTo('read-only', 's2', 's3', 's1-primary'))
    const servers: string[] = []
    while (servers.length < 32) servers.push((await openFakeSession(t, read)).server)
    return servers.every((server, at) => at === 0 || server !== servers[at - 1])
  }
  t.equal(await inTurns(shown), true)
  t.equal(await inTurns(without), false)
})

t.test('without a healthcheck on its line a server is up if it can be connected to', async t => {
  const members = await startFakeMembers(t)
  for (const member of [members.s1, members.s2, members.s3]) member.answers('standby')
  const without = replaceEach(example, { 'check healthcheck primary': 'check' })
  const { haproxy } = await start(t, members, without)
  await haproxy.sees('all for writers', leadsTo('read-write', 's1', 's2', 's3'))
  await haproxy.sees('all for readers', leadsTo('read-only', 's1', 's2', 's3'))
})

t.test('without the lines for the primary it leads clients as the others do', async t => {
  t.equal(example.match(fallback)?.length, 3)
  await playHaproxyStory(t, { program, config: example.replaceAll(fallback, '') })
})
