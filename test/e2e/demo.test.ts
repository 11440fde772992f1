/** `npm run demo`, by itself and with keys: what it shows of an old primary that comes back. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import { portsInUse } from '../demo/places.ts'
import { needProgram } from '../harness/needs.ts'
import { runProgram, toolEnvironment } from '../harness/programs.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { until, within } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const demo = join(repositoryRoot(), '.build/test/demo/main.js')
const haproxy = needProgram('haproxy')

// Its ports are those of the README. In CI the demo itself refuses, and the test fails.
const taken = process.env['CI'] ? [] : await portsInUse()
const missing = taken.length > 0 ? `ports in use: ${taken.join(' ')}` : haproxy.options.skip

const withPeers = 'the script brings the old primary back, and no row is lost'
t.test(withPeers, { skip: missing }, async t => {
  const printed = await runProgram({
    program: process.execPath,
    args: [demo, '--script'],
    cwd: repositoryRoot(),
    environment: toolEnvironment(),
    limitMs: 240_000,
  })
  t.match(printed, /s1 +still unavailable +another server was promoted/)
  t.match(printed, /rows acknowledged \d+, missing on the new primary 0\n/)
  t.match(printed, /After the promotion of (s2|s3) was asked for/)
})

t.test('with keys and without peers rows are lost', { skip: missing }, async t => {
  const child = spawn(process.execPath, [demo, '--without-peers'], {
    env: toolEnvironment(),
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  t.teardown(() => child.kill('SIGTERM'))
  const ended = once(child, 'close')
  let printed = ''
  child.stdout.on('data', (chunk: Buffer) => {
    printed += chunk.toString()
  })
  const shows = async (pattern: RegExp): Promise<void> => {
    const what = `the demo to show ${pattern}`
    await until(() => pattern.test(printed), { what, limitMs: 240_000 })
  }
  await shows(/readers \(\d+\): nobody -> s2 s3/)
  child.stdin.write('p')
  await shows(/missing on the new primary 0\n/)
  child.stdin.write('r')
  await shows(/missing on the new primary [1-9]\d*\n/)
  child.stdin.write('q')
  t.strictSame(await within(ended, { what: 'the demo to end' }), [0, null])
  t.match(printed, /starting s1 as the primary that it was[^]* s1 +unavailable -> primary/)
})

t.test('an argument that is unknown is refused', async t => {
  const args = [demo, '--with-peers']
  await t.rejects(
    runProgram({ program: process.execPath, args, cwd: '/' }),
    /demo: unknown argument --with-peers\nhint: npm run demo/,
  )
})
