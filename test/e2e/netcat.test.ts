/**
 * What people type: `nc localhost 5400` beside a real server.
 */
import { spawn } from 'node:child_process'
import t from 'tap'
import { wireWords } from '../../src/serve/role/reply.ts'
import { startDaemon, type Daemon } from '../harness/daemon.ts'
import { needProgram } from '../harness/needs.ts'
import { startPair } from '../harness/pair.ts'
import { serverEnvironment } from '../harness/programs.ts'
import { within } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const netcat = needProgram('nc')

type Run = { readonly stdout: string; readonly code: number | null }

/** With `open` its input ends only when something has come, as when somebody reads and types ^D. */
const runNetcat = async (
  options: readonly string[],
  { port, input }: { readonly port: number; readonly input: 'ends' | 'open' },
): Promise<Run> => {
  const child = spawn(netcat.get(), [...options, '127.0.0.1', String(port)], {
    cwd: '/',
    env: serverEnvironment(),
    stdio: ['pipe', 'pipe', 'ignore'],
  })
  if (input === 'ends') child.stdin.end()
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    child.stdin.end()
  })
  const ended = new Promise<Run>(resolve => {
    child.once('close', code => resolve({ stdout: Buffer.concat(chunks).toString('latin1'), code }))
  })
  try {
    return await within(ended, { what: 'nc to end', limitMs: 10_000 })
  } finally {
    child.kill('SIGKILL')
  }
}

const { primary: primaryWord, standby: standbyWord } = wireWords

t.test('nc prints six or seven bytes and ends', netcat.options, async t => {
  const { primary, standby } = await startPair(t, 17)
  const watch = async ({ dataDirectory }: { dataDirectory: string }): Promise<Daemon> => {
    const daemon = await startDaemon({ dataDirectory })
    t.teardown(daemon.stop)
    return daemon
  }
  const [ofPrimary, ofStandby] = [await watch(primary), await watch(standby)]
  await ofPrimary.answers(primaryWord)
  await ofStandby.answers(standbyWord)

  for (const input of ['ends', 'open'] as const) {
    await t.test(`when its input ${input === 'ends' ? 'ends' : 'stays open'}`, async t => {
      const [six, seven] = [
        await runNetcat([], { port: ofPrimary.port, input }),
        await runNetcat([], { port: ofStandby.port, input }),
      ]
      t.strictSame(six, { stdout: 'MASTER', code: 0 })
      t.strictSame(seven, { stdout: 'STANDBY', code: 0 })
    })
  }

  await t.test('nothing but a failure when the server is stopped', async t => {
    await standby.stop()
    await primary.stop()
    for (const daemon of [ofPrimary, ofStandby]) {
      await daemon.answers('refused')
      const { port } = daemon
      t.strictSame(await runNetcat([], { port, input: 'open' }), { stdout: '', code: 1 })
      t.strictSame(await runNetcat(['-z'], { port, input: 'ends' }), { stdout: '', code: 1 })
    }
  })
})
