/**
 * A real haproxy, run by somebody who is not root, with a file that is shown to users.
 */
import { writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import { makeFolder } from './cluster-files.ts'
import { guardFolder } from './guard.ts'
import { spawnLeashed } from './leash.ts'
import { serverEnvironment } from './programs.ts'
import { serverUser } from './server-user.ts'
import { hearOn } from './tcp-client.ts'
import { until, within } from './until.ts'

/** One server of one `listen` section, as haproxy sees it. */
export type ServerRow = {
  readonly section: string
  readonly server: string
  readonly up: boolean
  readonly backup: boolean
  /** `UP`, `DOWN`, `DOWN 1/2`, ... */
  readonly status: string
  /** Result and text of the last check: `L7RSP`, `L4CON`, ...; `INI` before the first. */
  readonly check: string
  /** The same of its agent, with the description that it gave. */
  readonly agent: string
}

export type Haproxy = {
  readonly pid: number
  readonly servers: () => Promise<readonly ServerRow[]>
  /** Gives an order on its socket; resolves with the answer, which is empty for most. */
  readonly order: (command: string) => Promise<string>
  /** Waits until it sees the servers so. */
  readonly sees: (what: string, seen: (rows: readonly ServerRow[]) => boolean) => Promise<void>
  readonly ended: () => Promise<void>
  readonly stop: () => Promise<void>
}

/** The ports that the examples name, in the order of s1, s2 and s3. */
export const examplePorts = {
  servers: [5500, 5501, 5502],
  probes: [5400, 5401, 5402],
  write: 5999,
  read: 5998,
} as const

/** The same text with other ports. */
export const replacePorts = (text: string, ports: ReadonlyMap<number, number>): string =>
  text.replaceAll(/\b\d{4}\b/g, found => String(ports.get(Number(found)) ?? found))

/**
 * `folder` belongs to the server user. The socket for questions is ours to add: it is not part of
 * what a user has to write.
 */
export const startHaproxy = async (options: {
  readonly program: string
  readonly config: string
  readonly folder: string
  /** As a reload does: that one is told to leave, once this one listens. */
  readonly replacing?: Haproxy
}): Promise<Haproxy> => {
  const { program, config, folder, replacing } = options
  const [configFile, socketFile] = [join(folder, 'haproxy.cfg'), join(folder, 'haproxy-stats.cfg')]
  const socketPath = join(folder, 'haproxy.sock')
  writeFileSync(configFile, config)
  writeFileSync(socketFile, `global\n    stats socket ${socketPath} mode 600 level admin\n`)
  const finish = replacing === undefined ? [] : ['-sf', String(replacing.pid)]
  const command = [program, '-db', '-f', configFile, '-f', socketFile, ...finish]
  const child = spawnLeashed(command, { cwd: folder, env: serverEnvironment(), user: serverUser() })
  let said = ''
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk.toString()).slice(-10_000)
  })
  const ended = new Promise<void>(resolve => void child.once('close', () => resolve()))
  const running = (): boolean => child.exitCode === null && child.signalCode === null

  const servers = async (): Promise<readonly ServerRow[]> =>
    readRows(await askSocket(socketPath, 'show stat'))

  const ready = async (): Promise<boolean> => {
    if (!running()) throw new Error(`haproxy did not start\n${said}`)
    return servers().then(
      () => true,
      () => false,
    )
  }
  await until(ready, { what: 'haproxy to start', limitMs: 10_000 })

  return {
    pid: child.pid ?? 0,
    servers,
    order: async command => (await askSocket(socketPath, command)).trim(),
    sees: async (what, seen) =>
      until(async () => seen(await servers()), { what: `haproxy to see ${what}`, everyMs: 20 }),
    ended: async () => ended,
    stop: async () => {
      child.kill('SIGTERM')
      await within(ended, { what: 'haproxy to stop', limitMs: 5000 })
    },
  }
}

/** In a folder of its own, for as long as the test runs. */
export const haproxyFor = async (
  t: Test,
  options: { readonly program: string; readonly config: string; readonly replacing?: Haproxy },
): Promise<Haproxy> => {
  const folder = await makeFolder(serverUser())
  t.teardown(guardFolder(folder).finish)
  const haproxy = await startHaproxy({ ...options, folder })
  t.teardown(haproxy.stop)
  return haproxy
}

/** Exactly these servers of a section are up. */
export const leadsTo =
  (section: string, ...names: readonly string[]) =>
  (rows: readonly ServerRow[]): boolean => {
    const up = rows.filter(row => row.section === section && row.up).map(({ server }) => server)
    return up.join() === names.join()
  }

const askSocket = async (path: string, command: string): Promise<string> => {
  const socket = connect({ path })
  socket.write(`${command}\n`)
  try {
    const { bytes, end } = await within(hearOn(socket), { what: command, limitMs: 2000 })
    if (end !== 'end') throw new Error(`${path}: ${end}`)
    return bytes.toString()
  } finally {
    socket.destroy()
  }
}

/** The table begins with `# ` and the names of its columns. */
const readRows = (text: string): readonly ServerRow[] => {
  const [head = '', ...lines] = text.replace(/^# /, '').trim().split('\n')
  const names = head.split(',')
  return lines
    .map(line => {
      const cells = cellsOf(line)
      return (name: string): string => cells[names.indexOf(name)] ?? ''
    })
    .filter(cell => !['FRONTEND', 'BACKEND'].includes(cell('svname')))
    .map(cell => ({
      section: cell('pxname'),
      server: cell('svname'),
      up: cell('status').startsWith('UP'),
      backup: cell('bck') === '1',
      status: cell('status'),
      check: `${cell('check_status')} ${cell('last_chk')}`.trim(),
      agent: `${cell('agent_status')} ${cell('last_agt')}`.trim(),
    }))
}

/** A cell with a comma or a quote in it stands in quotes. */
const cellsOf = (line: string): readonly string[] =>
  Array.from(line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g), ([, cell = '']) =>
    cell.startsWith('"') ? cell.slice(1, -1).replaceAll('""', '"') : cell,
  )
