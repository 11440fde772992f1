/** Clients of a port that speaks TLS. */
import { once } from 'node:events'
import type { Socket } from 'node:net'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import { hearOn, listenAsStranger, type Heard } from './tcp-client.ts'

/** Trusts any server: what it is given is judged elsewhere. */
export const connectTls = (port: number, options: ConnectionOptions = {}): TLSSocket =>
  connect({ port, host: '127.0.0.1', rejectUnauthorized: false, ...options })

/** Shakes hands, talks, and listens to the end. Never rejects. */
export const hearTls = (
  port: number,
  talk: string | Uint8Array,
  options: ConnectionOptions = {},
): Promise<Heard> => {
  const socket = connectTls(port, options)
  socket.write(talk)
  return hearOn(socket)
}

/** What a client begins a handshake with. */
export const clientHello = async (): Promise<Buffer> => {
  const { server, port } = await listenAsStranger()
  const client = connectTls(port)
  client.on('error', () => undefined)
  const [accepted] = (await once(server, 'connection')) as [Socket]
  const [hello] = (await once(accepted, 'data')) as [Buffer]
  accepted.destroy()
  client.destroy()
  server.close()
  return hello
}
