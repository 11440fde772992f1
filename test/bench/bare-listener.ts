/**
 * The least that Node can do to answer on a port.
 *
 *   node bare-listener.js PORT
 */
import { createServer } from 'node:net'

createServer(socket => {
  socket.on('error', () => {})
  socket.end('MASTER')
}).listen({ port: Number(process.argv[2]), host: '127.0.0.1', backlog: 4096 })
