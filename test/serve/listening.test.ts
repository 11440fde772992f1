import { once } from 'node:events'
import { spawn } from 'node:child_process'
import { closeSync, existsSync, lstatSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { connect, createServer, type ListenOptions, type Server } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startListening, systemListen, type Listen } from '../../src/serve/listening.ts'
import { makeServerFolder } from '../harness/stand-in.ts'
import { hear, hearOn, listenAsStranger } from '../harness/tcp-client.ts'

/** Says one byte, so that it can be told from a port that merely opens. */
const serverOf = (t: Test): Server => {
  const server = createServer(socket => {
    // Of a client that only wants to know whether somebody listens.
    socket.on('error', () => undefined)
    socket.end('x')
  })
  t.teardown(() => server.close())
  return server
}

/** A system that fails for some hosts, and what it was asked. */
const failing = (codes: { readonly [host: string]: string }) => {
  const asked: ListenOptions[] = []
  const listen: Listen = (server, options) => {
    asked.push(options)
    const code = codes[String(options.host)]
    if (code === undefined) systemListen(server, options)
    else process.nextTick(() => server.emit('error', Object.assign(new Error('no'), { code })))
  }
  return { asked, listen }
}

t.test('an address is listened on alone, on a port that the system picks', async t => {
  const opened = await startListening(serverOf(t), { address: '127.0.0.1', port: 0 }, systemListen)
  t.match(opened, { ok: true, fact: { address: '127.0.0.1', port: Number } })
  if (!opened.ok) return
  t.match(await hear(opened.fact), { end: 'end' })
  t.match(await hear({ port: opened.fact.port, host: '::1' }), { end: 'ECONNREFUSED' })
})

t.test('the wildcard listens for both families', async t => {
  const opened = await startListening(serverOf(t), { address: null, port: 0 }, systemListen)
  t.match(opened, { ok: true, fact: { address: '::' } })
  if (!opened.ok) return
  for (const host of ['127.0.0.1', '::1']) {
    t.equal((await hear({ port: opened.fact.port, host })).bytes.toString(), 'x', host)
  }
})

t.test('"::" written out is IPv6 alone, and 0.0.0.0 may be used beside it', async t => {
  const six = await startListening(serverOf(t), { address: '::', port: 0 }, systemListen)
  t.ok(six.ok)
  if (!six.ok) return
  const { port } = six.fact
  t.match(await hear({ port }), { end: 'ECONNREFUSED' })
  const four = await startListening(serverOf(t), { address: '0.0.0.0', port }, systemListen)
  t.strictSame(four, { ok: true, fact: { address: '0.0.0.0', port } })
  t.equal((await hear({ port })).bytes.toString(), 'x')
})

for (const code of ['EAFNOSUPPORT', 'EADDRNOTAVAIL', 'EINVAL']) {
  t.test(`the wildcard is IPv4 on a host without IPv6 (${code})`, async t => {
    const { asked, listen } = failing({ '::': code })
    const opened = await startListening(serverOf(t), { address: null, port: 0 }, listen)
    t.match(opened, { ok: true, fact: { address: '0.0.0.0' } })
    t.match(asked, [{ host: '::', ipv6Only: false }, { host: '0.0.0.0' }])
    if (opened.ok) t.equal((await hear(opened.fact)).bytes.toString(), 'x')
  })
}

t.test('a host without any address is reported as such', async t => {
  const { listen } = failing({ '::': 'EAFNOSUPPORT', '0.0.0.0': 'EADDRNOTAVAIL' })
  t.strictSame(await startListening(serverOf(t), { address: null, port: 5400 }, listen), {
    ok: false,
    fault: { kind: 'no such address', address: null, port: 5400 },
  })
})

t.test('a port in use is not tried again with IPv4', async t => {
  const { asked, listen } = failing({ '::': 'EADDRINUSE' })
  t.strictSame(await startListening(serverOf(t), { address: null, port: 5400 }, listen), {
    ok: false,
    fault: { kind: 'port in use', address: null, port: 5400 },
  })
  t.equal(asked.length, 1)
})

t.test('the backlog holds a flood of connections', async t => {
  const { asked, listen } = failing({})
  await startListening(serverOf(t), { address: '127.0.0.1', port: 0 }, listen)
  t.match(asked, [{ backlog: 4096 }])
})

t.test('a port of another program is a fault, not an exception', async t => {
  const { server, port } = await listenAsStranger()
  t.teardown(() => server.close())
  t.strictSame(await startListening(serverOf(t), { address: '127.0.0.1', port }, systemListen), {
    ok: false,
    fault: { kind: 'port in use', address: '127.0.0.1', port },
  })
  t.strictSame(await startListening(serverOf(t), { address: null, port }, systemListen), {
    ok: false,
    fault: { kind: 'port in use', address: null, port },
  })
})

t.test('an address of another host is a fault', async t => {
  const elsewhere = { address: '192.0.2.1', port: 0 }
  t.strictSame(await startListening(serverOf(t), elsewhere, systemListen), {
    ok: false,
    fault: { kind: 'no such address', ...elsewhere },
  })
})

const listenOutOfOrder: Listen = server => {
  process.nextTick(() => server.emit('error', new Error('out of order')))
}

t.test('an error without a code is reported by its message', async t => {
  const endpoint = { address: '::1', port: 5400 }
  const opened = await startListening(serverOf(t), endpoint, listenOutOfOrder)
  t.match(opened, { ok: false, fault: { kind: 'other', code: 'out of order' } })
})

t.test('a server closed while its address is resolved does not block', async t => {
  const server = serverOf(t)
  const opening = startListening(server, { address: '127.0.0.1', port: 0 }, systemListen)
  server.close()
  t.match(await opening, { ok: false, fault: { kind: 'closed', address: '127.0.0.1', port: 0 } })
  t.notOk(server.listening)
})

t.test('nothing is left behind on the server, whatever the outcome', async t => {
  const server = serverOf(t)
  const { listen } = failing({ '::': 'EAFNOSUPPORT' })
  await startListening(server, { address: null, port: 0 }, listen)
  for (const event of ['listening', 'error', 'close']) t.equal(server.listenerCount(event), 0)
  server.close()
  await once(server, 'close')
})

t.test('a socket that was passed to us is taken as it is', async t => {
  const asked: ListenOptions[] = []
  const listen: Listen = (server, options) => {
    asked.push(options)
    server.listen(0, '127.0.0.1')
  }
  const endpoint = { address: null, port: 5400, passed: 3 }
  const opened = await startListening(serverOf(t), endpoint, listen)
  t.match(opened, { ok: true, fact: { address: '127.0.0.1', port: Number } })
  t.strictSame(asked, [{ fd: 3, backlog: 4096 }])
  if (opened.ok) t.equal((await hear(opened.fact)).bytes.toString(), 'x')
})

t.test('what was passed to us may be no port at all', async t => {
  const endpoint = { address: null, port: 5400 }
  const withPath: Listen = server => {
    // Not below t.testdir(): the path of a socket has 107 bytes at most.
    server.listen(join(makeServerFolder(t), 'socket'))
  }
  t.match(await startListening(serverOf(t), { ...endpoint, passed: 3 }, withPath), {
    ok: false,
    fault: { kind: 'other', code: 'EOPNOTSUPP', passed: 3 },
  })
  const file = openSync('/dev/null', 'r')
  t.teardown(() => closeSync(file))
  t.match(await startListening(serverOf(t), { ...endpoint, passed: file }, systemListen), {
    ok: false,
    fault: { kind: 'other', passed: file },
  })
  const thrown: Listen = () => {
    throw Object.assign(new Error('no'), { code: 'ERR_INVALID_FD_TYPE' })
  }
  t.match(await startListening(serverOf(t), { ...endpoint, passed: 3 }, thrown), {
    ok: false,
    fault: { kind: 'other', code: 'ERR_INVALID_FD_TYPE' },
  })
})

const hearAt = async (path: string): Promise<string> => {
  const { bytes } = await hearOn(connect({ path }))
  return bytes.toString()
}

t.test('a path is a Unix socket, which others than its owner cannot use', async t => {
  const address = join(makeServerFolder(t), 'http.sock')
  const server = serverOf(t)
  const opened = await startListening(server, { address, port: 0 }, systemListen)
  t.strictSame(opened, { ok: true, fact: { address, port: 0 } })
  t.equal(await hearAt(address), 'x')
  t.equal(lstatSync(address).mode & 0o022, 0)
  const second = await startListening(serverOf(t), { address, port: 0 }, systemListen)
  t.match(second, { ok: false, fault: { kind: 'port in use', address } })
  t.equal(await hearAt(address), 'x', 'the first one is left alone')
  server.close()
  await once(server, 'close')
  t.notOk(existsSync(address))
})

t.test('a socket that was left behind is replaced, but nothing else', async t => {
  const folder = makeServerFolder(t)
  const address = join(folder, 'http.sock')
  const program = `require('node:net').createServer().listen(${JSON.stringify(address)}, () =>
    process.kill(process.pid, 'SIGKILL'))`
  await once(spawn(process.execPath, ['-e', program], { stdio: 'ignore' }), 'close')
  t.ok(lstatSync(address).isSocket())
  t.match(await startListening(serverOf(t), { address, port: 0 }, systemListen), { ok: true })
  t.equal(await hearAt(address), 'x')
  const file = join(folder, 'file')
  writeFileSync(file, 'text')
  const onFile = await startListening(serverOf(t), { address: file, port: 0 }, systemListen)
  t.match(onFile, { ok: false, fault: { kind: 'port in use' } })
  t.equal(readFileSync(file, 'utf8'), 'text')
  const nowhere = { address: join(folder, 'none', 'http.sock'), port: 0 }
  t.match(await startListening(serverOf(t), nowhere, systemListen), { ok: false })
})
