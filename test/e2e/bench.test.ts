/** The bench judged: what its load generator counts, and what its table makes of it. */
import t from 'tap'
import { names } from '../bench/contenders.ts'
import { judgeRow, printTable, type Row } from '../bench/table.ts'
import { askPort, buildTools, runOver } from '../bench/tools.ts'
import { freePort } from '../harness/free-port.ts'
import { startParrot } from '../harness/liar.ts'
import { needProgram } from '../harness/needs.ts'
import { listenAsStranger } from '../harness/tcp-client.ts'

t.test('the load generator', needProgram('cc').options, async t => {
  const tools = await buildTools()

  await t.test('counts answered connections', async t => {
    const parrot = await startParrot('MASTER')
    t.teardown(parrot.close)
    for (const atOnce of [1, 20]) {
      const load = await askPort(tools, { port: parrot.port, atOnce, total: 200 })
      t.match(load, { answered: 200, lost: 0, odd: 0, stalled: 0 })
      t.ok(load.medianUs > 0 && load.medianUs <= load.p99Us && load.p99Us <= load.maxUs)
    }
  })

  await t.test('counts refused connections, and those that get no byte', async t => {
    const closed = await freePort()
    const mute = await listenAsStranger(socket => void socket.destroy())
    t.teardown(() => mute.server.close())
    for (const port of [closed, mute.port]) {
      for (const atOnce of [1, 20]) {
        const load = await askPort(tools, { port, atOnce, total: 50 })
        t.match(load, { answered: 0, lost: 50 })
      }
    }
  })

  await t.test('counts answers that differ, and those that take their time', async t => {
    let asked = 0
    const moody = await listenAsStranger(socket => {
      asked += 1
      const word = asked % 2 === 0 ? 'STANDBY' : 'MASTER'
      setTimeout(() => void socket.end(word), asked === 1 ? 600 : 0)
    })
    t.teardown(() => moody.server.close())
    const load = await askPort(tools, { port: moody.port, atOnce: 4, total: 40 })
    t.match(load, { answered: 40, lost: 0, odd: 20, stalled: 1 })
  })

  await t.test('sends what it is given, and is content with the first bytes', async t => {
    const request = Buffer.from('a\0b')
    const heard: string[] = []
    const { server, port } = await listenAsStranger(socket => {
      socket.on('error', () => undefined)
      socket.on('data', (bytes: Buffer) => {
        heard.push(bytes.toString('latin1'))
        socket.write('R')
      })
    })
    t.teardown(() => server.close())
    for (const atOnce of [1, 4]) {
      const load = await askPort(tools, { port, atOnce, total: 8, request })
      t.match(load, { answered: 8, lost: 0 })
    }
    t.strictSame([...new Set(heard)], ['a\0b'])
  })

  await t.test('runs programs, and counts those that fail', async t => {
    t.match(await runOver(tools, { command: ['true'], total: 5 }), { answered: 5, lost: 0 })
    t.match(await runOver(tools, { command: ['false'], total: 5 }), { answered: 0, lost: 5 })
  })
})

const row = (ours: number, theirs: number, goal: Row['goal']): Row => ({
  measure: 'something',
  unit: 'us',
  values: new Map([
    [names.ours, [1000, ours, 0]],
    [names.predecessor, [theirs]],
  ]),
  goal,
})

t.test('a goal is judged by the median of the rounds', async t => {
  const atMost = { than: names.predecessor, atMost: 1.6 }
  t.strictSame(judgeRow(row(16, 10, atMost)), { ratio: 1.6, spread: null, kept: true })
  t.strictSame(judgeRow(row(17, 10, atMost)), { ratio: 1.7, spread: null, kept: false })
  const atLeast = { than: names.predecessor, atLeast: 3 }
  t.strictSame(judgeRow(row(29, 10, atLeast)), { ratio: 2.9, spread: null, kept: false })
  t.strictSame(judgeRow(row(5, 1, { than: null, atMost: 4 })), {
    ratio: null,
    spread: null,
    kept: false,
  })
  t.strictSame(judgeRow(row(5, 1, { than: names.psql, atMost: 4 })), {
    ratio: null,
    spread: null,
    kept: null,
  })
  const rounds = new Map([
    [names.ours, [10, 20, 30]],
    [names.predecessor, [10, 10, 20]],
  ])
  const spread = { ...row(0, 0, atMost), values: rounds }
  t.strictSame(judgeRow(spread), { ratio: 2, spread: [1, 2], kept: false })
  t.match(printTable([spread]), / 2\.00 \(1\.00 to 2\.00\) /)
  t.match(printTable([row(17, 10, atMost)]), /17\.0 +10\.0 +1\.70 +at most 1\.60 .* +MISSED/)
})
