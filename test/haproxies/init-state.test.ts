/** From 3.1 on: no client comes to a server before its first check has been answered. */
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
const example = readExample('haproxy-3.1.cfg')
const initState = '    default-server init-state fully-down\n'
/** A check may wait as long as the test wants. */
const patient = replaceEach(example, { 'timeout check 1s': 'timeout check 10s' })

const start = async (t: Test, members: FakeMembers, text: string) => {
  const { config, write, read } = await members.configure(text)
  return { haproxy: await haproxyFor(t, { program, config }), write, read }
}

t.test('with init-state fully-down no client comes to an unchecked server', async t => {
  const members = await startFakeMembers(t)
  const { s1, s2, s3 } = members
  const { haproxy, write, read } = await start(t, members, patient)
  for (const port of [write, write, read, read]) {
    t.equal((await openFakeSession(t, port)).server, '')
  }
  t.strictSame(
    [s1, s2, s3].map(({ visitors }) => visitors()),
    [0, 0, 0],
  )
  s2.answers('primary')
  for (const standby of [s1, s3]) standby.answers('standby')
  await haproxy.sees('the primary', leadsTo('read-write', 's2'))
  t.equal((await openFakeSession(t, write)).server, 's2')
  await haproxy.sees('the standbys', leadsTo('read-only', 's1', 's3'))
  // Both begin slowly, so that each has its half.
  const servers = [await openFakeSession(t, read), await openFakeSession(t, read)]
  t.strictSame(new Set(servers.map(({ server }) => server)), new Set(['s1', 's3']))
})

t.test('without it writers come to a server that is no primary', async t => {
  const members = await startFakeMembers(t)
  const { s1, s2, s3 } = members
  const without = replaceEach(patient, { [initState]: '' })
  const { haproxy, write } = await start(t, members, without)
  t.equal((await openFakeSession(t, write)).server, 's1')
  t.equal(s1.visitors(), 1)
  s2.answers('primary')
  for (const standby of [s1, s3]) standby.answers('standby')
  await haproxy.sees('the primary', leadsTo('read-write', 's2'))
})

t.test('a server that leaves maintenance is unchecked as well', async t => {
  const members = await startFakeMembers(t)
  const { s1, s2, s3 } = members
  s1.answers('primary')
  for (const standby of [s2, s3]) standby.answers('standby')
  const shown = await start(t, members, patient)
  const without = await start(t, members, replaceEach(patient, { [initState]: '' }))
  for (const { haproxy } of [shown, without]) {
    await haproxy.sees('the primary', leadsTo('read-write', 's1'))
    await haproxy.order('set server read-write/s1 state maint')
  }
  s1.answers('silence')
  for (const { haproxy } of [shown, without]) {
    await haproxy.order('set server read-write/s1 state ready')
  }
  t.equal((await openFakeSession(t, shown.write)).server, '')
  t.equal((await openFakeSession(t, without.write)).server, 's1')
  s1.answers('primary')
  await shown.haproxy.sees('the primary', leadsTo('read-write', 's1'))
})

t.test('the example leads clients as that for all versions does', async t => {
  await playHaproxyStory(t, { program, config: example })
})
