/**
 * Sockets passed to us, as far as a single process can have them: whoever listens on a descriptor
 * gets a port of its own on loopback instead.
 */
import { systemListen, type Listen } from '../../src/serve/listening.ts'

export const listenOnPassed: Listen = (server, options) => {
  if (options.fd === undefined) systemListen(server, options)
  else server.listen(0, '127.0.0.1')
}
