import t from 'tap'
import type { Account } from '../../../src/cli/system/accounts.ts'
import {
  dropPrivileges,
  dropPrivilegesFor,
  dropPrivilegesForFile,
} from '../../../src/cli/system/privileges.ts'
import { noAccounts, rootAccounts } from '../../harness/fake-host.ts'

const drop = (directory: string, accounts = noAccounts, user: string | null = null) =>
  dropPrivileges({ user, directory }, accounts)
const refused = (message: string | RegExp, hint: string | RegExp = '') => ({
  ok: false,
  fault: { message, ...(hint === '' ? {} : { hint }) },
})
const neverHadAny = { ok: true, fact: { kind: 'never had any' } }
const stillRoot = { ok: true, fact: { kind: 'still root' } }

t.test('a user other than root has no privileges to drop', async t => {
  t.strictSame(await drop('/srv/data'), neverHadAny)
  t.strictSame(
    await dropPrivilegesForFile({ user: null, path: '/x.conf' }, noAccounts),
    neverHadAny,
  )
})

t.test('root becomes the owner of the data directory', async t => {
  const accounts = rootAccounts({ '/srv': 0, '/srv/data': 101 })
  t.match(await drop('/srv/data', accounts), {
    ok: true,
    fact: { kind: 'dropped', account: { user: 101, group: 102, name: 'user101' } },
  })
  t.strictSame(accounts.became, [101])
})

t.test('or of the nearest directory above one that is still to be made', async t => {
  const accounts = rootAccounts({ '/srv': 101 })
  t.match(await drop('/srv/cluster/16/data', accounts), { fact: { kind: 'dropped' } })
  t.strictSame(accounts.became, [101])
})

t.test('a directory owned by root leaves no user to become', async t => {
  const accounts = rootAccounts({ '/srv/data': 0 })
  t.match(
    await drop('/srv/data', accounts),
    refused('started as root, and /srv/data belongs to root', /--user/),
  )
  t.match(
    await drop('/missing', accounts),
    refused('data directory /missing does not exist', /-D$/),
  )
  t.strictSame(accounts.became, [])
})

t.test('nor does one whose owner cannot be determined', async t => {
  const blind = (end: string | null) => {
    return { ...rootAccounts({}), partsOf: () => Promise.resolve({ parts: [], end }) }
  }
  t.match(
    await drop('/nfs/data', blind('EACCES')),
    refused('started as root, and could not determine the owner of /nfs/data: EACCES', /--user/),
  )
})

t.test('a part of the path that belongs to another user is refused, and named', async t => {
  const attacks: readonly (readonly [Readonly<Record<string, number>>, string])[] = [
    [{ '/srv': 666, '/srv/data': 101 }, '/srv'],
    [{ '/srv': 0, '/srv/main': 666, '/srv/main/data': 101 }, '/srv/main'],
    [{ '/srv': 101, '/srv/main': 666, '/srv/main/data': 101 }, '/srv/main'],
  ]
  for (const [owners, part] of attacks) {
    const path = Object.keys(owners).at(-1) ?? ''
    const accounts = rootAccounts(owners)
    t.match(
      await drop(path, accounts),
      refused(
        `started as root, and cannot become postgres, the owner of ${path}: ${part} belongs to user id 666`,
        'each part of the path must belong to root or to postgres; or name the user to run as with --user',
      ),
    )
    t.strictSame(accounts.became, [])
  }
})

t.test('swapping the directory meanwhile has no effect', async t => {
  const before = rootAccounts({ '/srv/data': 101 })
  const swappedFor = (owners: Readonly<Record<string, number>>, end: string | null = null) => {
    const after = rootAccounts(owners)
    return {
      ...before,
      effectiveUser: () => 0,
      become: after.become,
      partsOf: async (path: string) => {
        const parts = await (after.became.length === 0 ? before : after).partsOf(path)
        return after.became.length === 0 ? parts : { ...parts, end }
      },
    }
  }
  const changed = refused(
    'started as root, and the owner of /srv/data changed during the start',
    /^start it again/,
  )
  t.match(await drop('/srv/data', swappedFor({ '/srv/data': 102 })), changed)
  t.match(await drop('/srv/data', swappedFor({ '/srv/data': 0 })), changed)
  t.match(await drop('/srv/data', swappedFor({ '/srv': 102, '/srv/data': 101 })), changed)
  t.match(await drop('/srv/data', swappedFor({ '/srv': 102 }, 'ENOENT')), changed)
  const gone = await drop('/srv/data', swappedFor({ '/srv': 0 }, 'ENOENT'))
  t.match(gone, { ok: true }, 'the look tells that it is gone, or closed to the new user')
})

t.test('it becomes the user of --user, whatever the path', async t => {
  const accounts = rootAccounts({ '/srv': 666, '/srv/data': 0 })
  t.match(await drop('/srv/data', accounts, 'postgres'), {
    fact: { kind: 'dropped', account: { user: 101, name: 'postgres' } },
  })
  t.match(
    await dropPrivilegesForFile(
      { user: 'postgres', path: '/srv/data' },
      rootAccounts({ '/srv': 666 }),
    ),
    { fact: { kind: 'dropped', account: { user: 101 } } },
  )
})

t.test('but neither root, nor an unknown user, nor without being root', async t => {
  const account: Account = { user: 0, group: 0, name: 'toor', home: '/root', shell: null }
  const accounts = rootAccounts({ '/data': 101 })
  const toor = { ...accounts, byName: () => Promise.resolve(account) }
  t.match(await drop('/data', toor, 'toor'), refused('--user must not be root, but toor is'))
  t.match(
    await drop('/data', accounts, 'mallory'),
    refused('user "mallory" of --user is not in /etc/passwd', /LDAP/),
  )
  t.strictSame(accounts.became, [])
  t.match(
    await drop('/data', noAccounts, 'postgres'),
    refused('cannot become postgres of --user: it runs as user id 1000', /only root can/),
  )
  const postgres = { ...noAccounts, effectiveUser: () => 101 }
  t.strictSame(await drop('/data', postgres, 'postgres'), neverHadAny, 'itself it is already')
})

t.test('root without the capability to become another user gets an error', async t => {
  const become = (): never => {
    throw Object.assign(new Error('setgid EPERM'), { code: 'EPERM' })
  }
  const accounts = { ...rootAccounts({ '/data': 101 }), become }
  t.strictSame(
    await drop('/data', accounts),
    refused(
      'started as root, but could not become user101: EPERM',
      'run it as user101, or leave root the capabilities SETUID and SETGID',
    ),
  )
  const account: Account = { user: 101, group: 101, name: null, home: '/', shell: null }
  const nameless = { ...accounts, byNumber: () => Promise.resolve(account) }
  t.match(await drop('/data', nameless), { fault: { hint: /^run it as user id 101,/ } })
})

t.test('a configuration file that only root can change selects no user', async t => {
  const accounts = rootAccounts({ '/etc': 0, '/etc/x.conf': 0 })
  t.strictSame(
    await dropPrivilegesForFile({ user: null, path: '/etc/x.conf' }, accounts),
    stillRoot,
  )
})

t.test('one that another user can change is read as that user', async t => {
  for (const owners of [
    { '/etc': 0, '/etc/x.conf': 101 },
    { '/etc': 101, '/etc/x.conf': 0 },
  ]) {
    const accounts = rootAccounts(owners)
    t.match(await dropPrivilegesForFile({ user: null, path: '/etc/x.conf' }, accounts), {
      fact: { kind: 'dropped', account: { user: 101 } },
    })
  }
})

t.test('and one that several users can change is not read', async t => {
  const accounts = rootAccounts({ '/home': 102, '/home/x.conf': 101 })
  t.match(
    await dropPrivilegesForFile({ user: null, path: '/home/x.conf' }, accounts),
    refused(/cannot become postgres, .*: \/home belongs to user id 102$/),
  )
  t.strictSame(accounts.became, [])
})

t.test('an error of a directory names its source, unless the user was named', async t => {
  const given = new Map([['pgdata', [{ name: 'PGDATA', text: '/data', at: null }]]] as const)
  const dropFor = (owner: number, user: string | null) =>
    dropPrivilegesFor({ user, directory: '/data', given }, rootAccounts({ '/data': owner }))
  t.match(await dropFor(101, null), { ok: true, fact: { kind: 'dropped' } })
  t.match(await dropFor(0, null), refused(/^PGDATA: started as root, and \/data belongs to root$/))
  const named = await dropFor(101, 'unknown')
  t.match(named, { ok: false })
  t.notMatch(named, refused(/PGDATA/))
})
