import { once } from 'node:events'
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { findDaemon } from '../../../src/cli/system/local-daemon.ts'
import { fact, fault } from '../../../src/facts/outcome.ts'
import type { DaemonView } from '../../../src/facts/report/daemon-view.ts'
import type { Ask } from '../../../src/observe/peers/peer-request.ts'
import { makeServerFolder } from '../../harness/stand-in.ts'

const user = process.geteuid?.() ?? -1

/** Sockets in a folder, each of a daemon that watches a directory, or does not answer. */
const setUp = async (t: Test, sockets: Readonly<Record<string, string | null>>) => {
  const folder = makeServerFolder(t)
  const places = new Map<string, string | null>()
  for (const [name, directory] of Object.entries(sockets)) {
    const path = join(folder, name)
    mkdirSync(join(path, '..'), { recursive: true })
    const server = createServer().listen(path)
    t.teardown(() => void server.close())
    await once(server, 'listening')
    places.set(path, directory)
  }
  const asked: string[] = []
  const ask: Ask<DaemonView> = ({ text, socketPath }) => {
    asked.push(text)
    const directory = places.get(socketPath ?? '') ?? null
    const view = { answer: 'primary', rule: 'in production', because: 'ready' } as const
    const answer = directory === null ? fault('ECONNREFUSED') : fact({ ...view, directory })
    return { answer: Promise.resolve(answer), cancel: () => undefined }
  }
  const find = (directory: string, as = user) => findDaemon(directory, { ask, user: as, folder })
  return { folder, asked, find }
}

t.test('the daemon that watches the same directory is found', async t => {
  const data = makeServerFolder(t)
  const { folder, find, asked } = await setUp(t, {
    '15-main/http.sock': '/another',
    '16-main/http.sock': data,
    'main.sock': null,
  })
  writeFileSync(join(folder, 'file.sock'), '')
  writeFileSync(join(folder, '16-main', 'weight'), '50')
  const socket = join(folder, '16-main/http.sock')
  t.match(await find(data), { socket, directory: data, answer: 'primary' })
  t.equal(asked.length, 3, 'sockets alone are asked')
  const link = join(folder, 'link')
  symlinkSync(data, link)
  t.match(await find(link), { socket })
  t.equal(await find('/nowhere'), null)
})

t.test('a socket of another user is not asked', async t => {
  const { find, asked } = await setUp(t, { 'main.sock': '/data' })
  // Root is trusted by everybody.
  if (user !== 0) t.equal(await find('/data', user + 1), null)
  t.strictSame(asked, [])
})

t.test('without the folder no daemon is asked', async t => {
  const { asked } = await setUp(t, {})
  const ask = () => t.fail('asked') as never
  t.equal(await findDaemon('/data', { ask, user, folder: '/no/such/folder' }), null)
  t.strictSame(asked, [])
})
