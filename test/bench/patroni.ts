/**
 * Patroni, whose REST API many a load balancer asks. It comes with a server of its own, because it
 * starts and stops what it reports on, and with the etcd that it can't do without.
 */
import { existsSync, readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../harness/cluster-files.ts'
import { freePort } from '../harness/free-port.ts'
import { guardFolder } from '../harness/guard.ts'
import { spawnLeashed } from '../harness/leash.ts'
import { serverEnvironment } from '../harness/programs.ts'
import { serverUser, type ServerUser } from '../harness/server-user.ts'
import { until, within } from '../harness/until.ts'
import type { Opened } from '../harness/with-opened.ts'
import { serverFolder } from '../truth/server-programs.ts'
import { childrenOf, cpuUsOf } from './accounting.ts'
import { names, type Contender } from './contenders.ts'
import { askPort, type Tools } from './tools.ts'

const programs = { patroni: '/usr/bin/patroni', etcd: '/usr/bin/etcd' } as const

export const hasPatroni = (): boolean => Object.values(programs).every(path => existsSync(path))

/** What HAProxy is told to send in Patroni's own documentation, in HTTP 1.0. */
const request = Buffer.from('OPTIONS /primary HTTP/1.0\r\n\r\n')

type Ports = { readonly rest: number; readonly server: number; readonly etcd: number }

const etcd = (folder: string, { etcd: port }: Ports, peerPort: number): readonly string[] => {
  const [client, peer] = [`http://127.0.0.1:${port}`, `http://127.0.0.1:${peerPort}`]
  const flags = {
    'data-dir': join(folder, 'etcd'),
    'initial-cluster': `default=${peer}`,
    'listen-client-urls': client,
    'advertise-client-urls': client,
    'listen-peer-urls': peer,
    'initial-advertise-peer-urls': peer,
  }
  return [programs.etcd, ...Object.entries(flags).map(([flag, value]) => `--${flag}=${value}`)]
}

const listening = (port: number) => ({
  listen: `127.0.0.1:${port}`,
  connect_address: `127.0.0.1:${port}`,
})

/** In JSON, which is YAML too. */
const settings = (folder: string, ports: Ports): string =>
  JSON.stringify({
    scope: 'bench',
    name: 'one',
    restapi: listening(ports.rest),
    etcd3: { host: `127.0.0.1:${ports.etcd}` },
    bootstrap: { dcs: {}, initdb: [{ auth: 'trust' }, 'no-sync'] },
    postgresql: {
      ...listening(ports.server),
      data_dir: join(folder, 'data'),
      bin_dir: serverFolder,
      authentication: {
        superuser: { username: 'postgres' },
        replication: { username: 'postgres' },
      },
      parameters: { unix_socket_directories: folder },
    },
  })

type Started = { readonly pid: number; readonly died: Promise<never> }

/** `died` rejects with what it said last, should it end before it is told to. */
const startAs = (
  user: ServerUser,
  { folder, opened }: { readonly folder: string; readonly opened: Opened },
  command: readonly string[],
): Started => {
  const child = spawnLeashed(command, { cwd: folder, env: serverEnvironment(), user })
  let said = ''
  child.stderr.on('data', chunk => {
    said = `${said}${chunk}`.slice(-saidMax)
  })
  const ended = new Promise<void>(resolve => void child.once('exit', () => resolve()))
  opened.later(async () => {
    child.kill('SIGTERM')
    await within(ended, { what: `the end of ${command[0]}`, limitMs: 20_000 })
  })
  const died = ended.then((): never => {
    throw new Error(`${command[0]} ended:\n${said}`)
  })
  // It ends in good order, too.
  died.catch(() => undefined)
  return { pid: child.pid ?? 0, died }
}

const saidMax = 500

/** Resolves once it is the primary, some ten seconds later. */
export const openPatroni = async (tools: Tools, opened: Opened): Promise<Contender> => {
  const user = serverUser()
  const folder = await makeFolder(user)
  opened.later(guardFolder(folder).finish)
  const ports = { rest: await freePort(), server: await freePort(), etcd: await freePort() }
  const place = { folder, opened }
  const store = startAs(user, place, etcd(folder, ports, await freePort()))
  const file = join(folder, 'patroni.yml')
  await writeFile(file, settings(folder, ports))
  const { pid, died } = startAs(user, place, [programs.patroni, file])
  const isPrimary = async (): Promise<boolean> => {
    const response = await fetch(`http://127.0.0.1:${ports.rest}/primary`).catch(() => null)
    return response?.status === 200
  }
  const up = until(isPrimary, { what: 'Patroni to be primary', limitMs: 60_000, everyMs: 200 })
  await Promise.race([up, died, store.died])
  const postmaster = Number.parseInt(
    readFileSync(join(folder, 'data/postmaster.pid'), 'latin1'),
    10,
  )
  return {
    name: names.patroni,
    check: amount => askPort(tools, { ...amount, port: ports.rest, request }),
    // It asks on a session that it keeps, so that the backend is there before and after.
    cpuUs: () =>
      [pid, postmaster, ...childrenOf(postmaster)].reduce((sum, one) => sum + cpuUsOf(one), 0),
    pid: null,
    pace: 'login',
    close: async () => undefined,
  }
}
