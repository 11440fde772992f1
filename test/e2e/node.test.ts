/**
 * The built program on the Node that runs this test; `npm run nodes` runs it on all others that the
 * program is for.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import t, { type Test } from 'tap'
import { wireWords } from '../../src/serve/role/reply.ts'
import { daemonProgram, startDaemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { serverEnvironment } from '../harness/programs.ts'
import { runCommand } from '../harness/recipes.ts'
import { makeServerFolder, startStandIn } from '../harness/stand-in.ts'
import { listenAsStranger } from '../harness/tcp-client.ts'

// A start takes a second on a machine that has much else to do.
t.setTimeout(120_000)

const environment = {
  ...serverEnvironment(),
  PATH: `${dirname(process.execPath)}:${serverEnvironment()['PATH']}`,
}
/** tap puts itself into the environment of whatever its tests start; env takes it out again. */
const run = (args: readonly string[], more: NodeJS.ProcessEnv = {}) => {
  const variables = Object.entries({ ...environment, ...more })
  const cleared = ['env', '-i', ...variables.map(([name, value]) => `${name}=${value}`)]
  return runCommand([...cleared, daemonProgram(), ...args], { environment })
}

t.test('it answers on each port and prints no warning of Node', async t => {
  const { directory } = await startStandIn(t, 'primary')
  const http = await freePort()
  const args = ['--http', `127.0.0.1:${http}`]
  const daemon = await startDaemon({ dataDirectory: directory, environment, args })
  t.teardown(daemon.stop)
  await daemon.answers(wireWords.primary)
  t.equal((await fetch(`http://127.0.0.1:${http}/primary`)).status, 200)
  const primary = `127.0.0.1:${daemon.port}`
  t.match(await run(['query', primary]), { code: 0, out: /^127\.0\.0\.1:\d+ +primary\n$/ })
  const looked = await run(['status', '-D', directory])
  t.match(looked, { code: 0, out: /^primary: / })
  t.strictSame(await daemon.stop(), { code: 0, signal: null })
  t.notMatch(`${daemon.log().join('\n')}\n${looked.out}`, /\(node:|Warning/)
})

/** Has Node run this before the program. */
const first = (t: Test, script: string): NodeJS.ProcessEnv => {
  const path = join(makeServerFolder(t), 'first.cjs')
  writeFileSync(path, script, { mode: 0o644 })
  return { NODE_OPTIONS: `--require "${path}"` }
}

const reported = (error: string) => ({
  code: 3,
  out: new RegExp(
    `^pg-replstatus: internal error: ${error} at .*\\nhint: This is a bug in pg-replstatus .*\\n$`,
  ),
})

t.test('an error of the program itself takes one line, and is no role', async t => {
  const { directory } = await startStandIn(t, 'primary')
  const { server, port } = await listenAsStranger(socket => {
    socket.on('error', () => undefined)
    socket.end(wireWords.primary)
  })
  t.teardown(() => server.close())
  const query = ['query', `127.0.0.1:${port}`]
  // As on a Node that lacks what they use.
  const missing = first(t, 'delete Number.prototype.toFixed; delete Math.round')
  const lacking = (name: string) => reported(`TypeError: .*${name} is not a function`)
  t.match(await run(['status', '-D', directory, '--json'], missing), lacking('round'))
  t.match(await run(['status', '-D', directory, '--nagios'], missing), lacking('toFixed'))
  t.match(await run(query, first(t, 'delete Promise.all')), lacking('Promise.all'))
  const thrown = 'process.nextTick(() => { throw new Error("planted") })'
  const rejected = 'Promise.reject(new Error("planted"))'
  for (const action of [thrown, rejected]) {
    const script = `require("net").Socket.prototype.setEncoding = () => { ${action} }`
    t.match(await run(query, first(t, script)), reported('Error: planted'), action)
  }
  const idle = `require("net").Socket.prototype.connect = function () { return this }
    globalThis.setTimeout = () => null`
  t.strictSame(await run(query, first(t, idle)), { code: 3, out: '' }, 'nor is the end of all work')
})

t.test('what others do at the exit changes nothing about the answer', async t => {
  const { directory } = await startStandIn(t, 'standby')
  const agent = first(t, 'process.on("exit", () => { throw new Error("planted") })')
  t.match(await run(['status', '-D', directory], agent), { code: 1, out: /^standby: / })
})

t.test('a truncated or damaged program ends with one line, and with no role', async t => {
  const path = join(makeServerFolder(t), 'pg-replstatus.js')
  const text = readFileSync(daemonProgram(), 'utf8')
  const run = async (content: string, because: RegExp): Promise<void> => {
    writeFileSync(path, content, { mode: 0o755 })
    const { code, out } = await runCommand([path, 'status'], { environment })
    t.equal(code, 3)
    t.match(out, because)
    t.equal(out.indexOf('\n'), out.length - 1, 'one line')
  }
  const isTruncated = /^pg-replstatus: error: \S+\.js is truncated: install it again$/m
  // Before a part of the program, of which the rest is valid, and does nothing.
  const part = text.indexOf('\n// src/facts/')
  t.ok(part > 0)
  for (const length of [part, text.length / 2, text.length - 1]) {
    await run(text.slice(0, length), isTruncated)
  }
  const damaged = text.replace("'use strict'", "'use strict")
  await run(damaged, /^pg-replstatus: error: could not load \S+\.js: SyntaxError: .*$/m)
})

t.test('a Node that is too old is reported in one line, and with no role', async t => {
  for (const [version, code] of [
    ['8.17.0', 3],
    ['18.20.8', 3],
    ['20.18.3', 3],
    ['20.19.0', 0],
    ['21.0.0', 0],
    ['22.0.0', 0],
    ['100.0.0', 0],
  ] as const) {
    const versions = `{ ...process.versions, node: "${version}" }`
    const script = `Object.defineProperty(process, "versions", { value: ${versions} })`
    const { out, ...end } = await run(['--version'], first(t, script))
    t.strictSame(end, { code }, version)
    const refusal = `pg-replstatus: error: Node.js must be version 20.19 or later, but ${process.execPath} is ${version}\n`
    if (code === 3) t.equal(out, refusal)
    else t.match(out, /^pg-replstatus \d/)
  }
})
