/**
 * A client that may connect, or one that may not, has a line in the log a minute for each port, and
 * no more, whatever it sends and however often: the log must not fill a disk.
 */
import { connect } from 'node:net'
import t from 'tap'
import { startDaemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { forgeDataDirectory } from '../harness/stand-in.ts'

t.setTimeout(120_000)

type Client = { readonly port: number; readonly from: string; readonly says: string }

const headers = (bytes: number): string => `X-Long: ${'x'.repeat(bytes)}\r\n`

/** What clients send; an empty one sends nothing. */
const sayings: readonly string[] = [
  '',
  '\n',
  '\x1b[2J\x9b\u202e\n<3>injected error\n',
  '\0'.repeat(10_000),
  'GET / HTTP/1.0\r\n\r\n',
  'GET /\x1b[31m HTTP/1.1\r\nHost: \x9b\r\n\r\n',
  'GET /status HTTP/1.1\r\nHost: a\nb\r\n\r\n',
  'BREW /no/such HTTP/9.9\r\n\r\n',
  `GET / HTTP/1.1\r\n${headers(100_000)}\r\n`,
  'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: -1\r\n\r\nz\r\n',
  'CONNECT a:1 HTTP/1.1\r\n\r\n',
  'GET / HTTP/1.1\r\nUpgrade: websocket\r\nConnection: upgrade\r\nExpect: 100-continue\r\n\r\n',
]

/** Resolves when the connection is over, however it ends. */
const visit = ({ port, from, says }: Client, abruptly: boolean): Promise<void> =>
  new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
    socket.resume()
    socket.write(says)
    if (abruptly) socket.once('connect', () => socket.resetAndDestroy())
    else socket.end()
  })

const rounds = 30

t.test('clients have a line a minute for each port, whatever they do', async t => {
  const [http, agent] = [await freePort(), await freePort()]
  const args = ['--when-unavailable', 'reply', '--allow', '127.0.0.1', '--log-level', 'debug']
  const daemon = await startDaemon({
    dataDirectory: forgeDataDirectory(t),
    args: [...args, '--http', `127.0.0.1:${http}`, '--agent', `127.0.0.1:${agent}`],
  })
  t.teardown(daemon.stop)
  await daemon.said(new RegExp(`listening .*port=${agent}\\b`))
  await daemon.said(/ role changed /)
  const before = daemon.log().length
  let clients = 0
  for (let round = 0; round < rounds; round += 1) {
    const visits = [daemon.port, http, agent].flatMap(port =>
      ['127.0.0.1', '127.0.0.2'].flatMap(from =>
        sayings.map(says => visit({ port, from, says }, round % 2 === 0)),
      ),
    )
    clients += visits.length
    await Promise.all(visits)
  }
  t.ok(clients > 2000, `${clients} clients`)
  t.match(await daemon.ask(), 'UNAVAILABLE')
  const lines = daemon.log().slice(before)
  const refused = lines.filter(line =>
    / warning: connections refused port=\d+ (?:from=127\.0\.0\.2 )?refused=1$/.test(line),
  )
  t.equal(refused.length, 3, 'one for each port')
  t.strictSame(
    lines.filter(line => !refused.includes(line)),
    [],
  )
})
