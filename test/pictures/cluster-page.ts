/**
 * The page for browsers beside real servers, in a real browser: a standby was promoted, and the old
 * primary came back. Each daemon is told another name of its host, as on hosts of their own.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { chromium, type Page } from 'playwright-core'
import { createCluster, type Cluster } from '../harness/cluster.ts'
import { startDaemon, type Daemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { peerArgs } from '../harness/http-daemon.ts'
import { findProgram, howToInstall } from '../harness/needs.ts'
import { until } from '../harness/until.ts'
import { withPalette } from './indexed-png.ts'

export type Scheme = 'light' | 'dark'

/** Of the newest server that there is. */
const major = 18

const size = { width: 960, height: 560 }

/** Between what happens, so that the lanes of a minute show something. */
const calmMs = 10_000

type Cleanup = (() => Promise<unknown>)[]

type Host = { readonly cluster: Cluster; daemon: Daemon }

/** One picture for each scheme. */
export const shootPage = async (): Promise<Readonly<Record<Scheme, Buffer>>> => {
  const browserProgram = findProgram('chromium')
  if (browserProgram === null) throw new Error(howToInstall('chromium'))
  if (process.getuid?.() !== 0) throw new Error('run it as root, which may name hosts (unshare)')
  const cleanup: Cleanup = []
  try {
    const address = await playOnHosts(cleanup)
    const browser = await chromium.launch({
      executablePath: browserProgram,
      // As in browser.ts.
      args: ['--no-sandbox'],
    })
    cleanup.push(() => browser.close())
    const page = await browser.newPage({ viewport: size })
    await page.goto(address)
    await shows(page, /Primary: db2\n/, /Superseded: db1\n/, /db3[^]*streaming\s+2\s+\d/)
    await sleep(calmMs)
    return await shootSchemes(page)
  } finally {
    for (const undo of cleanup.toReversed()) await undo()
  }
}

const playOnHosts = async (cleanup: Cleanup): Promise<string> => {
  const db1 = await createCluster({ major })
  cleanup.push(db1.destroy)
  await db1.start()
  const db2 = await db1.standby()
  cleanup.push(db2.destroy)
  const db3 = await db1.standby()
  cleanup.push(db3.destroy)
  await Promise.all([db2.start(), db3.start()])
  const ports = [await freePort(), await freePort(), await freePort()]
  const start = async (cluster: Cluster, index: number): Promise<Host> => {
    const name = `db${index + 1}`
    const through = ['unshare', '--uts', 'sh', '-c', 'hostname "$0"; exec "$@"', name]
    const args = peerArgs(ports[index] ?? 0, ports)
    const daemon = await startDaemon({ dataDirectory: cluster.dataDirectory, args, through })
    cleanup.push(daemon.stop)
    return { cluster, daemon }
  }
  const hosts = [await start(db1, 0), await start(db2, 1), await start(db3, 2)]
  await hosts[0]?.daemon.answers('MASTER')
  await write(db1)
  await sleep(calmMs)
  await db1.stop('immediate')
  await sleep(calmMs / 4)
  await db2.promote('sql')
  await hosts[1]?.daemon.answers('MASTER')
  db3.requestStandby(db2)
  db3.kill('SIGHUP')
  await sleep(calmMs)
  await db1.start()
  await hosts[0]?.daemon.said(/another server was promoted/)
  await write(db2)
  return `http://127.0.0.1:${ports[1]}/ui`
}

/** A standby that has received nothing does not show that it streams. */
const write = async (cluster: Cluster): Promise<void> => {
  const session = await cluster.session()
  await session.query('create table if not exists written (id serial)')
  await session.query('insert into written select from generate_series(1, 100)')
  await session.close()
}

const shows = async (page: Page, ...patterns: readonly RegExp[]): Promise<void> => {
  const isShown = async (): Promise<boolean> => {
    const text = await page.innerText('body')
    return patterns.every(pattern => pattern.test(text))
  }
  await until(isShown, { what: patterns.join(' and '), limitMs: 60_000 })
}

/** Down to the drawing: the changes in words are long, and have the names of folders. */
const shootSchemes = async (page: Page): Promise<Readonly<Record<Scheme, Buffer>>> => {
  const bottom = await page.evaluate<number>(
    "document.querySelector('.key').getBoundingClientRect().bottom",
  )
  const clip = { x: 0, y: 0, width: size.width, height: Math.ceil(bottom) + 6 }
  const shoot = async (colorScheme: Scheme): Promise<Buffer> => {
    await page.emulateMedia({ colorScheme })
    return withPalette(await page.screenshot({ fullPage: true, clip }))
  }
  return { light: await shoot('light'), dark: await shoot('dark') }
}
