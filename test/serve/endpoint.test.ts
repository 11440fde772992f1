import { once } from 'node:events'
import { createServer, type Server } from 'node:net'
import t from 'tap'
import { describeListenFault, exclude, listenFault, portOrPath } from '../../src/serve/endpoint.ts'
import { startListening, systemListen } from '../../src/serve/listening.ts'
import { freePort } from '../harness/free-port.ts'

const everywhere = { address: null, port: 5400 }
const here = { address: '127.0.0.1', port: 5400 }

t.test('codes of the system become faults with the endpoint in them', t => {
  const expected = {
    EADDRINUSE: 'port in use',
    EACCES: 'not permitted',
    EPERM: 'not permitted',
    EADDRNOTAVAIL: 'no such address',
    ENOTFOUND: 'no such address',
  }
  for (const [code, kind] of Object.entries(expected)) {
    t.strictSame(listenFault(here, code), { kind, ...here }, code)
  }
  t.strictSame(listenFault(everywhere, 'EMFILE'), { kind: 'other', ...everywhere, code: 'EMFILE' })
  t.end()
})

t.test('a port in use is reported with a way out', t => {
  t.strictSame(describeListenFault({ kind: 'port in use', ...everywhere }), {
    message: 'could not listen on port 5400: address already in use',
    hint: 'another program listens on port 5400; choose another port with --port',
  })
  t.equal(
    describeListenFault({ kind: 'port in use', ...here }).message,
    'could not listen on port 5400 of 127.0.0.1: address already in use',
  )
  t.end()
})

t.test('the error of a forbidden port distinguishes low ports from a security policy', t => {
  t.strictSame(describeListenFault({ kind: 'not permitted', address: null, port: 80 }), {
    message: 'could not listen on port 80: permission denied',
    hint: 'ports below 1024 are reserved for root; choose another port with --port',
  })
  t.equal(
    describeListenFault({ kind: 'not permitted', address: null, port: 1024 }).hint,
    'a security policy, such as SELinux, may not allow port 1024 for this program',
  )
  t.end()
})

t.test('the hint names the option that was given', t => {
  const options = { port: '--http', address: '--http' }
  const hint = (fault: Parameters<typeof describeListenFault>[0]) =>
    describeListenFault(fault, options).hint
  t.match(hint({ kind: 'port in use', ...here }), /choose another port with --http$/)
  t.match(
    hint({ kind: 'not permitted', address: null, port: 80 }),
    /choose another port with --http$/,
  )
  t.match(hint({ kind: 'no such address', ...here }), /^--http must be an address/)
  t.end()
})

t.test('an address that is not of this host is named', t => {
  t.strictSame(describeListenFault({ kind: 'no such address', address: '192.0.2.1', port: 5400 }), {
    message: 'could not listen on port 5400 of 192.0.2.1: no such address on this host',
    hint: '--bind must be an address of this host, as shown by "ip address"',
  })
  t.equal(
    describeListenFault({ kind: 'no such address', ...everywhere }).message,
    'could not listen on port 5400: no such address on this host',
  )
  t.end()
})

t.test('the hint names the options that set the endpoint', t => {
  const options = { port: '--agent', address: '--agent' }
  const hintOf = (kind: 'port in use' | 'not permitted' | 'no such address', port: number) =>
    describeListenFault({ kind, address: '192.0.2.1', port }, options).hint
  t.match(hintOf('port in use', 5400), /choose another port with --agent$/)
  t.match(hintOf('not permitted', 80), /choose another port with --agent$/)
  t.match(hintOf('no such address', 5400), /^--agent must be an address/)
  t.end()
})

t.test('any other error is reported with its code', t => {
  t.strictSame(describeListenFault({ kind: 'other', ...everywhere, code: 'EMFILE' }), {
    message: 'could not listen on port 5400: EMFILE',
    hint: null,
  })
  t.strictSame(describeListenFault({ kind: 'closed', ...everywhere }), {
    message: 'could not listen on port 5400: closed',
    hint: null,
  })
  t.end()
})

t.test('a socket that was passed to us is named by its number', t => {
  const fault = listenFault({ ...everywhere, passed: 3 }, 'EOPNOTSUPP')
  t.strictSame(describeListenFault(fault), {
    message: 'could not listen on passed socket 3: EOPNOTSUPP',
    hint: 'see ListenStream= in systemd.socket(5)',
  })
  t.end()
})

const closed = async (server: Server): Promise<void> => {
  if (!server.listening) return
  server.close()
  await once(server, 'close')
}

t.test('two endpoints exclude each other if the system does', async t => {
  const addresses = [null, '::', '0.0.0.0', '::1', '127.0.0.1', '127.0.0.2']
  const port = await freePort()
  for (const one of addresses.map(address => ({ address, port }))) {
    for (const other of addresses.map(address => ({ address, port }))) {
      const [first, second] = [createServer(), createServer()]
      t.match(await startListening(first, one, systemListen), { ok: true })
      const opened = await startListening(second, other, systemListen)
      await Promise.all([closed(first), closed(second)])
      const isTaken = !opened.ok && opened.fault.kind === 'port in use'
      t.equal(exclude(one, other), isTaken, `${one.address} and ${other.address}`)
    }
  }
})

t.test('other ports do not, nor those that the system chooses', async t => {
  t.notOk(exclude(everywhere, { ...everywhere, port: 5401 }))
  t.notOk(exclude({ ...here, port: 0 }, { ...here, port: 0 }))
  t.notOk(exclude({ ...here, address: '0.0.0.0' }, { ...here, address: '::127.0.0.1' }))
})

t.test('an address that begins with a slash is the path of a socket', async t => {
  const socket = { address: '/run/x/http.sock', port: 0 }
  t.equal(portOrPath(socket), '/run/x/http.sock')
  t.equal(portOrPath(here), 'port 5400')
  t.ok(exclude(socket, { ...socket }))
  t.notOk(exclude(socket, { ...socket, address: '/run/y' }))
  t.notOk(exclude(socket, { ...everywhere, port: 0 }))
  for (const [code, message, hint] of [
    ['EADDRINUSE', 'address already in use', /^another program listens there/],
    ['EACCES', 'permission denied', /^the folder must belong to/],
    ['EADDRNOTAVAIL', 'no such address', null],
    ['ENOENT', 'ENOENT', /^the folder must exist/],
  ] as const) {
    const told = describeListenFault(listenFault(socket, code))
    t.match(told, { message: `could not listen on /run/x/http.sock: ${message}`, hint })
  }
})
