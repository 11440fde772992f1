import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import {
  closeInheritable,
  openAccounts,
  type Account,
  type Self,
} from '../../../src/cli/system/accounts.ts'

/** With a second name for root, lines of NIS, and half a line. */
const passwd = (uid: number): string =>
  [
    'root:x:0:0:root:/root:/bin/bash',
    `postgres:x:${uid}:4711:PostgreSQL,,,:/var/lib/postgresql:/bin/bash`,
    'toor:x:0:0::/root:/bin/sh',
    '',
    'bare:x:9:9:::',
    '+::::::',
    'half:x',
    '',
  ].join('\n')
const setUp = (passwdText?: string, closed: readonly string[] = []) => {
  const calls: unknown[] = []
  const note =
    (name: string) =>
    (...args: readonly unknown[]): void => {
      calls.push([name, ...args])
    }
  const env: Record<string, string | undefined> = { HOME: '/root', USER: 'root', PATH: '/sbin' }
  const self: Self = {
    env,
    geteuid: () => 7,
    setgroups: note('setgroups'),
    initgroups: note('initgroups'),
    setgid: note('setgid'),
    setuid: note('setuid'),
    umask: note('umask'),
    chdir: path => {
      note('chdir')(path)
      if (closed.includes(path)) throw new Error('EACCES')
    },
  }
  const directory = t.testdir(passwdText === undefined ? {} : { passwd: passwdText })
  const accounts = openAccounts(self, {
    passwdPath: join(directory, 'passwd'),
    closeDescriptors: note('close'),
  })
  return { accounts, calls, env, self }
}

const postgres: Account = {
  user: 101,
  group: 4711,
  name: 'postgres',
  home: '/var/lib/postgresql',
  shell: '/bin/bash',
}

t.test('the current user is the effective one', async t => {
  t.equal(setUp().accounts.effectiveUser(), 7)
})

t.test('a user in /etc/passwd has the group listed there, whatever that of the path', async t => {
  const { accounts } = setUp(passwd(101))
  t.strictSame(await accounts.byNumber(101, 5), postgres)
  t.strictSame(await accounts.byName('postgres'), postgres)
  t.match(await accounts.byName('toor'), { user: 0 })
  t.match(await accounts.byName('bare'), { user: 9, home: '/', shell: null })
})

t.test('one that is not there has that of the path, unless it is that of root', async t => {
  const nameless = { user: 102, group: 5, name: null, home: '/', shell: null }
  for (const { accounts } of [setUp(passwd(101)), setUp()]) {
    t.strictSame(await accounts.byNumber(102, 5), nameless)
    t.strictSame(await accounts.byNumber(102, 0), { ...nameless, group: 65_534 })
    t.equal(await accounts.byName('alice'), null)
  }
})

t.test('users have names, or numbers', async t => {
  const name = await setUp(passwd(101)).accounts.names()
  t.strictSame([0, 101, 102].map(name), ['root', 'postgres', 'user id 102'])
})

t.test('the parts of a path have owners', async t => {
  const { parts } = await setUp().accounts.partsOf(import.meta.dirname)
  t.match(parts.at(-1), { path: import.meta.dirname })
})

t.test('a process drops its groups first and its user ID last', async t => {
  const { accounts, calls, env } = setUp()
  accounts.become(postgres)
  t.strictSame(calls, [
    ['close'],
    ['initgroups', 'postgres', 4711],
    ['setgid', 4711],
    ['setuid', 101],
    ['umask', 0o022],
    ['chdir', '/var/lib/postgresql'],
  ])
  const { home: HOME, shell: SHELL } = postgres
  t.strictSame(env, { HOME, SHELL, USER: 'postgres', LOGNAME: 'postgres', PATH: '/sbin' })
})

t.test("what is left of root's environment are the variables that are known", async t => {
  const { accounts, env } = setUp()
  const secrets = {
    SSH_AUTH_SOCK: '/x',
    SUDO_USER: 'alice',
    PGPASSWORD: 'x',
    LC_: 'x',
    XLC_ALL: 'x',
  }
  const kept = {
    PATH: '/sbin',
    LC_ALL: 'C',
    TZ: 'UTC',
    PGDATA: '/data',
    PG_REPLSTATUS_PORT: '5400',
    NOTIFY_SOCKET: '/run/notify',
  }
  Object.assign(env, secrets, kept)
  accounts.become({ user: 101, group: 104, name: null, home: '/', shell: null })
  t.strictSame(env, { ...kept, HOME: '/' })
})

t.test('without a name there are no groups to join', async t => {
  const { accounts, calls, env } = setUp()
  accounts.become({ user: 101, group: 104, name: null, home: '/', shell: null })
  t.strictSame(calls, [
    ['close'],
    ['setgroups', [104]],
    ['setgid', 104],
    ['setuid', 101],
    ['umask', 0o022],
    ['chdir', '/'],
  ])
  t.strictSame(env, { HOME: '/', PATH: '/sbin' })
})

t.test('a home that cannot be entered is none', async t => {
  const { accounts, calls } = setUp(undefined, [postgres.home])
  accounts.become(postgres)
  t.strictSame(calls.slice(-2), [
    ['chdir', postgres.home],
    ['chdir', '/'],
  ])
})

t.test('names come from /etc/passwd', async t => {
  const accounts = openAccounts(setUp().self)
  t.equal((await accounts.names())(0), 'root')
})

t.test('what a program of ours would have is closed, and nothing else', async t => {
  const folder = t.testdir({ fd: {}, fdinfo: {} })
  const open = (descriptor: number, flags: string) => {
    writeFileSync(join(folder, 'fd', String(descriptor)), '')
    writeFileSync(join(folder, 'fdinfo', String(descriptor)), `pos:\t0\n${flags}mnt_id:\t9\n`)
  }
  for (const standard of [0, 1, 2]) open(standard, 'flags:\t0100002\n')
  open(3, 'flags:\t02000002\n')
  open(17, 'flags:\t02100000\n')
  open(40, 'flags:\t0100000\n')
  open(41, 'flags:\t0\n')
  open(42, '')
  // Gone by the time it is looked at.
  mkdirSync(join(folder, 'fd', '43'))
  const closed: number[] = []
  closeInheritable(folder, descriptor => {
    closed.push(descriptor)
  })
  t.strictSame(closed, [40, 41])
})

t.test('without /proc nothing is', async t => {
  closeInheritable(t.testdir(), () => t.fail('nothing was found'))
  t.doesNotThrow(() => closeInheritable(), 'of us everything is closed on exec')
})
