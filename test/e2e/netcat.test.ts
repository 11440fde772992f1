/**
 * What people type: the line of the README beside a real server, with each program that is called
 * `nc` somewhere.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { wireWords } from '../../src/serve/role/reply.ts'
import { startDaemon, type Daemon } from '../harness/daemon.ts'
import { needProgram, type Need } from '../harness/needs.ts'
import { startPair } from '../harness/pair.ts'
import { serverEnvironment } from '../harness/programs.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { within } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)

type Netcat = { readonly need: Need<string>; readonly words: readonly string[] }

const netcats: Readonly<Record<string, Netcat>> = {
  // Whatever it is here.
  nc: { need: needProgram('nc'), words: [] },
  'nc.openbsd': { need: needProgram('nc.openbsd'), words: [] },
  'nc.traditional': { need: needProgram('nc.traditional'), words: [] },
  ncat: { need: needProgram('ncat'), words: [] },
  busybox: { need: needProgram('busybox'), words: ['nc'] },
}

/** `nc localhost 5400 </dev/null`, as in the README. */
const typed = /^nc (.*)$/m.exec(readFileSync(join(repositoryRoot(), 'README.md'), 'utf8'))?.[1]

type Run = { readonly stdout: string; readonly code: number | null }

/** As a shell runs it, with an input that stays open until something has come. */
const runLine = async ({ need, words }: Netcat, rest: string): Promise<Run> => {
  const child = spawn('/bin/sh', ['-c', `exec "$@" ${rest}`, 'sh', need.get(), ...words], {
    cwd: '/',
    env: serverEnvironment(),
    stdio: ['pipe', 'pipe', 'ignore'],
  })
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

const { primary, standby } = await startPair(t, 17)
const watch = async ({ dataDirectory }: { dataDirectory: string }): Promise<Daemon> => {
  const daemon = await startDaemon({ dataDirectory })
  t.teardown(daemon.stop)
  return daemon
}
const [ofPrimary, ofStandby] = [await watch(primary), await watch(standby)]
await ofPrimary.answers(primaryWord)
await ofStandby.answers(standbyWord)

const toPort = (line: string, { port }: Daemon): string =>
  line.replace('localhost', '127.0.0.1').replace('5400', String(port))
const withOpenInput = 'localhost 5400'

for (const [name, netcat] of Object.entries(netcats)) {
  t.test(`${name} prints six or seven bytes and ends`, netcat.need.options, async t => {
    for (const line of [typed ?? '', withOpenInput]) {
      const six = await runLine(netcat, toPort(line, ofPrimary))
      const seven = await runLine(netcat, toPort(line, ofStandby))
      t.strictSame(six, { stdout: 'MASTER', code: 0 }, line)
      t.strictSame(seven, { stdout: 'STANDBY', code: 0 }, line)
    }
  })
}

t.test('nothing but a failure when the server is stopped', async t => {
  await standby.stop()
  await primary.stop()
  for (const daemon of [ofPrimary, ofStandby]) await daemon.answers('refused')
  for (const [name, netcat] of Object.entries(netcats)) {
    await t.test(name, netcat.need.options, async t => {
      const lines = [
        typed ?? '',
        withOpenInput,
        ...(name === 'nc.openbsd' ? ['-z 127.0.0.1 5400'] : []),
      ]
      for (const line of lines) {
        for (const daemon of [ofPrimary, ofStandby]) {
          t.strictSame(await runLine(netcat, toPort(line, daemon)), { stdout: '', code: 1 }, line)
        }
      }
    })
  }
})
