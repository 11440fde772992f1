import t from 'tap'
import { dropPrivileges } from '../../src/cli/privileges.ts'
import { noAccounts, rootAccounts } from '../harness/fake-outside.ts'

t.test('who is not root has nothing to give up', async t => {
  const kept = { ok: true, fact: { kind: 'never had any' } }
  t.strictSame(await dropPrivileges('/srv/data', noAccounts), kept)
})

t.test('root becomes the owner of the data directory', async t => {
  const accounts = rootAccounts({ '/': 0, '/srv': 0, '/srv/data': 101 })
  t.strictSame(await dropPrivileges('/srv/data', accounts), {
    ok: true,
    fact: { kind: 'dropped', account: { user: 101, group: 102, name: 'user101' } },
  })
  t.strictSame(accounts.became, [101])
})

t.test('or of the nearest directory above one that is still to be made', async t => {
  const accounts = rootAccounts({ '/': 0, '/srv': 101 })
  t.match(await dropPrivileges('/srv/cluster/16/data', accounts), { fact: { kind: 'dropped' } })
  t.strictSame(accounts.became, [101])
})

t.test('where root is the owner there is nobody to become', async t => {
  const accounts = rootAccounts({ '/': 0, '/srv': 0, '/srv/data': 0 })
  const still = { ok: true, fact: { kind: 'still root' } }
  t.strictSame(await dropPrivileges('/srv/data', accounts), still)
  t.strictSame(await dropPrivileges('/missing', accounts), still)
  t.strictSame(await dropPrivileges('/missing', rootAccounts({})), still, 'nor where nothing is')
  t.strictSame(accounts.became, [])
})

t.test('a root without the power to become another is told so', async t => {
  const become = (): never => {
    throw Object.assign(new Error('setgid EPERM'), { code: 'EPERM' })
  }
  const accounts = { ...rootAccounts({ '/data': 101 }), become }
  t.strictSame(await dropPrivileges('/data', accounts), {
    ok: false,
    fault: {
      message: "started as root, but can't become user101, the owner of /data (EPERM)",
      hint: 'run as user101, or leave root the capabilities SETUID and SETGID',
    },
  })
  const account = { user: 101, group: 101, name: null }
  const nameless = { ...accounts, ownerOf: () => Promise.resolve(account) }
  t.match(await dropPrivileges('/data', nameless), { fault: { hint: /^run as user id 101,/ } })
})
