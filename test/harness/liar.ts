/** Probes that lie, so that whoever judges probes can be judged. */
import { createServer } from 'node:net'
import { once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort } from './free-port.ts'

export type Liar = { readonly port: number; readonly close: () => void }

/** Answers each connect with what `lie` gives, or closes without a byte for ''. */
const startLiar = async (lie: () => string): Promise<Liar> => {
  const port = await freePort()
  const server = createServer(socket => {
    socket.on('error', () => undefined)
    socket.end(lie())
  })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return { port, close: () => void server.close() }
}

/** Always the same word. */
export const startParrot = async (word: string): Promise<Liar> => startLiar(() => word)

const everyMs = 2

/** What `ask` would have been told `lateMs` ago. */
export const startLaggard = async (ask: () => Promise<string>, lateMs: number): Promise<Liar> => {
  const heard: { readonly at: number; readonly word: string }[] = []
  let over = false
  const listen = async (): Promise<void> => {
    while (!over) {
      const word = await ask()
      // Not the time of asking: on a busy machine an answer takes long, and would be less late.
      heard.push({ at: performance.now(), word })
      await sleep(everyMs)
    }
  }
  const wire = (word: string): string => (/^[A-Z]+$/.test(word) ? word : '')
  const liar = await startLiar(() => {
    const then = performance.now() - lateMs
    return wire(heard.findLast(({ at }) => at <= then)?.word ?? '')
  })
  void listen()
  return {
    port: liar.port,
    close: () => {
      over = true
      liar.close()
    },
  }
}
