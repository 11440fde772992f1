/** Clients of a TCP port, well-behaved and not. */
import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net'

export type Heard = {
  readonly bytes: Buffer
  /** `end` for an orderly end of file, or the code of the error. */
  readonly end: string
}

export type Where = { readonly port: number; readonly host?: string }

/** Connects, optionally talks, and listens to the end. Never rejects. */
export const hear = ({ port, host = '127.0.0.1' }: Where, talk?: Uint8Array): Promise<Heard> => {
  const socket = connect({ port, host })
  if (talk !== undefined) socket.write(talk)
  return hearOn(socket)
}

/** What a socket hears until it is closed. */
export const hearOn = (socket: Socket): Promise<Heard> =>
  new Promise(resolve => {
    const chunks: Buffer[] = []
    let end = 'nothing'
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk)
    })
    socket.on('end', () => {
      end = 'end'
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      end = String(error.code)
    })
    socket.on('close', () => resolve({ bytes: Buffer.concat(chunks), end }))
  })

/** Connected, and never closing on its own: it hears the end and stays. */
export const connectStubborn = async ({ port, host = '127.0.0.1' }: Where): Promise<Socket> => {
  const socket = connect({ port, host, allowHalfOpen: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  return socket
}

/** A server of somebody else's, on a port that the system picks unless one is named. */
export const listenAsStranger = async (
  onConnection: (socket: Socket) => void = () => undefined,
  port = 0,
): Promise<{ readonly server: Server; readonly port: number }> => {
  const server = createServer(onConnection)
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { server, port: (server.address() as AddressInfo).port }
}
