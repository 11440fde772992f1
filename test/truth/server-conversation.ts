/**
 * As much of PostgreSQL's protocol as a witness needs: logging in, and one question.
 *
 * A driver would do, but the witness shares two processors with the server and the program under
 * test, and what it spends on comfort shows in the figures.
 *
 * Source: "Message Formats" in the protocol chapter of PostgreSQL's manual, version 3.0.
 */
import { connect, type Socket } from 'node:net'

export type Conversation = {
  /** Resolves to the first column of the only row as text; null when the session broke. */
  readonly ask: (query: string) => Promise<string | null>
  readonly close: () => void
}

/** `hung`: neither in nor out within the limit. */
export type LoggedIn = Conversation | 'refused' | 'hung'

const protocolVersion = 196_608
/** What a client begins with. */
export const startupMessage = (parameters: Readonly<Record<string, string>>): Buffer => {
  const pairs = Object.entries(parameters).map(([name, value]) => `${name}\0${value}\0`)
  const text = Buffer.from(`${pairs.join('')}\0`, 'latin1')
  const head = Buffer.alloc(8)
  head.writeInt32BE(text.length + 8, 0)
  head.writeInt32BE(protocolVersion, 4)
  return Buffer.concat([head, text])
}

const message = (type: string, text: string): Buffer => {
  const head = Buffer.alloc(5)
  head.write(type, 'latin1')
  head.writeInt32BE(text.length + 4, 1)
  return Buffer.concat([head, Buffer.from(text, 'latin1')])
}

type Message = { readonly type: string; readonly body: Buffer }

/** Cuts a stream into messages: a type, a length that counts itself, a body. */
const createReader = (onMessage: (message: Message) => void) => {
  let rest = Buffer.alloc(0)
  return (chunk: Buffer): void => {
    rest = Buffer.concat([rest, chunk])
    while (rest.length >= 5) {
      const end = 1 + rest.readInt32BE(1)
      if (rest.length < end) return
      const body = rest.subarray(5, end)
      const type = rest.toString('latin1', 0, 1)
      rest = rest.subarray(end)
      onMessage({ type, body })
    }
  }
}

/** The first column of a DataRow: number of columns (2 bytes), its length (4), its bytes. */
const firstColumn = (row: Buffer): string => row.toString('latin1', 6, 6 + row.readInt32BE(2))

/** Logs in as postgres to a server that trusts everybody. */
export const logIn = async (port: number, limitMs: number): Promise<LoggedIn> => {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true })
  let column: string | null = null
  let hear: (word: 'ready' | 'error' | 'closed' | 'hung') => void = () => undefined
  const hearing = new Promise<'ready' | 'error' | 'closed' | 'hung'>(resolve => {
    hear = resolve
  })
  const limit = setTimeout(() => hear('hung'), limitMs)
  const read = createReader(({ type, body }) => {
    if (type === 'D') column = firstColumn(body)
    if (type === 'E') hear('error')
    if (type === 'Z') hear('ready')
  })
  socket.on('data', read)
  socket.on('error', () => hear('closed'))
  socket.on('close', () => hear('closed'))
  socket.write(startupMessage({ user: 'postgres', database: 'postgres' }))
  const outcome = await hearing
  clearTimeout(limit)
  if (outcome !== 'ready') {
    socket.destroy()
    return outcome === 'hung' ? 'hung' : 'refused'
  }
  const ask = async (query: string): Promise<string | null> => {
    column = null
    const answered = new Promise<boolean>(resolve => {
      hear = word => resolve(word === 'ready')
    })
    if (socket.destroyed) return null
    socket.write(message('Q', `${query}\0`))
    return (await answered) ? column : null
  }
  return { ask, close: () => sayGoodbye(socket) }
}

const sayGoodbye = (socket: Socket): void => {
  if (!socket.destroyed) socket.end(message('X', ''), () => socket.destroy())
}
