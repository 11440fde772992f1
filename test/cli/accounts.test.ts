import { join } from 'node:path'
import t from 'tap'
import { openAccounts, type Self } from '../../src/cli/accounts.ts'

/** With a second name for root, lines of NIS, and half a line. */
const passwd = (uid: number): string =>
  [
    'root:x:0:0:root:/root:/bin/bash',
    `postgres:x:${uid}:4711:PostgreSQL,,,:/var/lib/postgresql:/bin/bash`,
    'toor:x:0:0::/root:/bin/sh',
    '',
    '+::::::',
    'half:x',
    '',
  ].join('\n')
/** Whoever runs the tests has the name that is tested. */
const passwdWithoutRoot = (uid: number): string => passwd(uid).replaceAll(/^\w+:x:0:0:.*\n/gm, '')

const setUp = (passwdText?: string) => {
  const calls: unknown[] = []
  const note =
    (name: string) =>
    (...args: readonly unknown[]): void => {
      calls.push([name, ...args])
    }
  const self: Self = {
    geteuid: () => 7,
    setgroups: note('setgroups'),
    initgroups: note('initgroups'),
    setgid: note('setgid'),
    setuid: note('setuid'),
  }
  const directory = t.testdir(
    passwdText === undefined ? { data: {} } : { data: {}, passwd: passwdText },
  )
  return {
    accounts: openAccounts(self, join(directory, 'passwd')),
    calls,
    data: join(directory, 'data'),
  }
}
const uid = process.getuid?.() ?? -1
const gid = process.getgid?.() ?? -1

t.test('we are who we are in effect', async t => {
  t.equal(setUp().accounts.effectiveUser(), 7)
})

t.test("an owner is told by name, with his own group and not the path's", async t => {
  const { accounts, data } = setUp(passwdWithoutRoot(uid))
  t.strictSame(await accounts.ownerOf(data), { user: uid, group: 4711, name: 'postgres' })
})

t.test('an owner who is not in /etc/passwd goes by number', async t => {
  const { accounts, data } = setUp(passwdWithoutRoot(uid + 1))
  t.strictSame(await accounts.ownerOf(data), { user: uid, group: gid, name: null })
  const without = setUp()
  t.match(await without.accounts.ownerOf(without.data), { name: null }, 'no /etc/passwd at all')
})

t.test('what does not exist belongs to nobody', async t => {
  const { accounts, data } = setUp(passwd(uid))
  t.equal(await accounts.ownerOf(join(data, 'missing')), null)
  t.equal(await accounts.ownerOf(join(import.meta.filename, 'below a file')), null)
})

t.test('users have names, or numbers', async t => {
  const name = await setUp(passwd(101)).accounts.names()
  t.strictSame([0, 101, 102].map(name), ['root', 'postgres', 'user id 102'])
})

t.test('whoever becomes another gives up his groups first and his user id last', async t => {
  const { accounts, calls } = setUp()
  accounts.become({ user: 101, group: 104, name: 'postgres' })
  t.strictSame(calls, [
    ['initgroups', 'postgres', 104],
    ['setgid', 104],
    ['setuid', 101],
  ])
})

t.test('without a name there are no groups to join', async t => {
  const { accounts, calls } = setUp()
  accounts.become({ user: 101, group: 104, name: null })
  t.strictSame(calls, [
    ['setgroups', [104]],
    ['setgid', 104],
    ['setuid', 101],
  ])
})

t.test('names come from /etc/passwd', async t => {
  const accounts = openAccounts(setUp().accounts as unknown as Self)
  t.equal((await accounts.names())(0), 'root')
})
