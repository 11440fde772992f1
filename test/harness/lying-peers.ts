/**
 * Peers that answer with anything but what a member of the cluster would say. Most of them would
 * take the role of a primary away if they were believed.
 */
import { readFileSync } from 'node:fs'
import type { Socket } from 'node:net'
import { join } from 'node:path'
import type { Member } from '../../src/facts/decide/member.ts'
import {
  decodeTimelineHistory,
  historyFileName,
  type TimelineHistory,
} from '../../src/facts/decode/timeline-history.ts'
import { memberDocument } from '../../src/facts/report/member-json.ts'
import type { Lsn, SystemIdentifier, TimelineId } from '../../src/facts/units.ts'
import type { Cluster } from './cluster.ts'
import { listenAsStranger } from './tcp-client.ts'

/** What is true of the server that is lied to. */
export type Subject = {
  readonly systemIdentifier: SystemIdentifier
  readonly history: TimelineHistory
}

/** Of a server that has been promoted once. */
export const subjectOf = async (promoted: Cluster): Promise<Subject> => {
  const session = await promoted.session()
  const [row] = await session.query('select system_identifier::text from pg_control_system()')
  await session.close()
  const timeline = 2 as TimelineId
  const file = join(promoted.dataDirectory, 'pg_wal', historyFileName(timeline))
  const history = decodeTimelineHistory(readFileSync(file, 'utf8'), timeline)
  if (!history.ok) throw new Error(`${file} is no history`)
  const systemIdentifier = BigInt(String(row?.['system_identifier'])) as SystemIdentifier
  return { systemIdentifier, history: history.fact }
}

export type LyingPeer = { readonly port: number; readonly close: () => void }

/** Says something to a connection whose request has come. */
type Lie = (socket: Socket, request: string) => void

/** Of a server that was promoted in the place of the subject, at `at`. */
export const successor = (
  { systemIdentifier, history: { timeline, switches } }: Subject,
  at: Lsn,
): Member => ({
  instance: 'liar',
  name: 'liar',
  port: 5432,
  replication: null,
  hazards: [],
  answer: 'primary',
  rule: 'primary',
  because: 'it says so',
  systemIdentifier,
  history: {
    timeline: (timeline + 1) as TimelineId,
    switches: [...switches, { timeline, at }],
  },
  walPosition: at,
  ageMs: 0,
})

const blank = '\r\n\r\n'
const withHead = (body: string, status = '200 OK', length = body.length): string =>
  `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${length}${blank}${body}`

const says =
  (text: string | Buffer): Lie =>
  socket =>
    void socket.end(text)

const saysAndStays =
  (text: string): Lie =>
  socket =>
    void socket.write(text)

/** As fast as it is read, for as long as anybody reads. */
const floods =
  (beginning: string, more: string): Lie =>
  socket => {
    socket.write(beginning)
    const goOn = (): void => {
      while (!socket.destroyed && socket.write(more));
    }
    socket.on('drain', goOn)
    goOn()
  }

const dripMs = 20

/** A byte now and then, all of which would take minutes. */
const drips =
  (text: string): Lie =>
  socket => {
    let at = 0
    const timer = setInterval(() => {
      socket.write(text.slice(at, at + 1))
      at += 1
    }, dripMs)
    socket.on('close', () => clearInterval(timer))
  }

/** To a page that tells what would be believed here. */
const redirects =
  (body: string): Lie =>
  (socket, request) => {
    const head = `302 Found\r\nLocation: /elsewhere`
    socket.end(request.startsWith('GET /member ') ? withHead('', head) : withHead(body))
  }

const many = 64 * 1024
const tenMegabytes = 10 * 1024 * 1024
const position = 0x300_0000n as Lsn

const liesAbout = (subject: Subject): readonly Lie[] => {
  const believable = successor(subject, position)
  const body = memberDocument(believable)
  const document = JSON.parse(body) as Readonly<Record<string, unknown>>
  const changed = (changes: Readonly<Record<string, unknown>>): string =>
    withHead(JSON.stringify({ ...document, ...changes }))
  const member = (changes: Partial<Member>): string =>
    withHead(memberDocument({ ...believable, ...changes }))
  const { timeline, switches } = subject.history
  const branch = switches.map(left => ({ timeline: left.timeline, at: (left.at + 8n) as Lsn }))
  const far = 1000 as TimelineId
  return [
    // No answer, or none that is whole.
    () => undefined,
    says(''),
    says('MASTER'),
    says(Buffer.from(Array.from({ length: 4096 }, (_, index) => (index * 167) % 256))),
    saysAndStays(withHead(body).slice(0, -40)),
    says(withHead(body, '200 OK', body.length + 1)),
    says(withHead(body, '500 Internal Server Error')),
    drips(withHead(body)),
    redirects(body),
    says(`HTTP/1.1 101 Switching Protocols\r\nUpgrade: tcp\r\nConnection: upgrade${blank}${body}`),
    // More than anybody wants to read.
    says(withHead(body + ' '.repeat(tenMegabytes))),
    floods(`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked${blank}`, `1\r\n \r\n`.repeat(many)),
    floods('HTTP/1.1 200 OK\r\n', `Name: ${'value'.repeat(many)}\r\n`),
    floods('', `HTTP/1.1 100 Continue${blank}`.repeat(many)),
    says(withHead('['.repeat(many))),
    // Whole answers that are not as they must be.
    changed({ timeline: String(timeline + 1) }),
    changed({ system_identifier: Number(subject.systemIdentifier) }),
    changed({ timeline_history: [] }),
    changed({ instance: 'a\nb' }),
    changed({ role: 'MASTER' }),
    // Whole answers that prove nothing.
    member({ systemIdentifier: (subject.systemIdentifier + 1n) as SystemIdentifier }),
    member({ history: { timeline: far, switches: branch } }),
    member({ history: { timeline: far, switches: [{ timeline, at: position }] } }),
    member({ history: { timeline: far, switches: [...branch, { timeline, at: position }] } }),
    member({ history: null }),
    member({ ageMs: 1e9 }),
    member({ ageMs: null }),
  ].map(lie => (typeof lie === 'string' ? says(lie) : lie))
}

const listenWith = async (lie: Lie): Promise<LyingPeer> => {
  const sockets = new Set<Socket>()
  const { server, port } = await listenAsStranger(socket => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    socket.on('close', () => sockets.delete(socket))
    socket.once('data', chunk => lie(socket, chunk.toString('latin1')))
  })
  return {
    port,
    close: () => {
      server.close()
      for (const socket of sockets) socket.destroy()
    },
  }
}

/** One that answers each question with this. */
export const startLyingPeer = async (member: Member): Promise<LyingPeer> =>
  listenWith(says(withHead(memberDocument(member))))

/** One for each lie. */
export const startLyingPeers = async (subject: Subject): Promise<readonly LyingPeer[]> =>
  Promise.all(liesAbout(subject).map(listenWith))
