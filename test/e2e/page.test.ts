/**
 * The page for browsers, in a real one beside real servers: what it shows from a failover to the
 * silence of all, that it refreshes itself, and that it can be read everywhere. The pictures are in
 * .build/pages.
 */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import t, { type Test } from 'tap'
import { contrastOf, hiddenWidth, openPage, startBrowser } from '../harness/browser.ts'
import type { Cluster } from '../harness/cluster.ts'
import { startDaemon, type Daemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { peerArgs } from '../harness/http-daemon.ts'
import { needProgram } from '../harness/needs.ts'
import { startPair } from '../harness/pair.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { until } from '../harness/until.ts'

// The first run fetches the servers.
t.setTimeout(600_000)

const browserProgram = needProgram('chromium')
const pictures = join(repositoryRoot(), '.build', 'pages')

const wide = { width: 1100, height: 800 }
const phone = { width: 360, height: 720 }

/** As it is seen on a desk, in a dark room, on a phone and on paper. */
const looks = [
  { name: 'wide', size: wide, media: { colorScheme: 'light' } },
  { name: 'dark', size: wide, media: { colorScheme: 'dark' } },
  { name: 'phone', size: phone, media: { colorScheme: 'light' } },
  { name: 'print', size: { width: 720, height: 1000 }, media: { media: 'print' } },
] as const

const isLegible = async (t: Test, page: Page, state: string): Promise<void> => {
  for (const { name, size, media } of looks) {
    await page.setViewportSize(size)
    await page.emulateMedia({ media: null, colorScheme: null, ...media })
    t.equal(await hiddenWidth(page), 0, `${state}, ${name}: nothing is cut off`)
    const { ratio, text } = await contrastOf(page)
    t.ok(ratio >= 4.5, `${state}, ${name}: ${text} has a contrast of ${ratio}`)
    await page.screenshot({ path: join(pictures, `${state}-${name}.png`), fullPage: true })
  }
  await page.emulateMedia({ media: null, colorScheme: null })
}

/** Waits until the page shows it, which it has to do by itself. */
const shows = async (page: Page, ...patterns: readonly RegExp[]): Promise<string> => {
  let text = ''
  const isShown = async (): Promise<boolean> => {
    text = `${await page.title()}\n${await page.innerText('body')}`
    return patterns.every(pattern => pattern.test(text))
  }
  await until(isShown, { what: patterns.join(' and ') }).catch((error: unknown) => {
    throw new Error(`${String(error)}, which shows\n${text}`)
  })
  return text
}

type Host = { readonly cluster: Cluster; readonly http: number; daemon: Daemon }

const startOn = (cluster: Cluster, http: number, all: readonly number[]): Promise<Daemon> =>
  startDaemon({ dataDirectory: cluster.dataDirectory, args: peerArgs(http, all) })

const startHosts = async (t: Test): Promise<{ hosts: [Host, Host, Host]; ports: number[] }> => {
  const { primary, standby } = await startPair(t, 18)
  const third = await primary.standby()
  t.teardown(third.destroy)
  await third.start()
  const ports = [await freePort(), await freePort(), await freePort()]
  const start = async (cluster: Cluster, index: number): Promise<Host> => {
    const http = ports[index] ?? 0
    const host = { cluster, http, daemon: await startOn(cluster, http, ports) }
    t.teardown(() => host.daemon.stop())
    return host
  }
  const hosts: [Host, Host, Host] = [
    await start(primary, 0),
    await start(standby, 1),
    await start(third, 2),
  ]
  // A standby that has received nothing does not show that it streams.
  const session = await primary.session()
  await session.query('create table written ()')
  await session.close()
  return { hosts, ports }
}

t.test('the page at night', browserProgram.options, async t => {
  mkdirSync(pictures, { recursive: true })
  const { hosts, ports } = await startHosts(t)
  const [s1, s2, s3] = hosts
  const address = `http://127.0.0.1:${s2.http}/ui`
  const browser = await startBrowser(t, browserProgram.get())
  const { page, requested, complaints } = await openPage(browser, address)
  /** Its name is that of the host, which is the same for all, with its port. */
  const named = ({ http }: Host): string => `\\S+:${http}`
  const primaryIs = (host: Host): RegExp => new RegExp(`Primary: ${named(host)}\n`)

  t.comment('all is well')
  const well = await shows(page, primaryIs(s1), /(streaming[^]*){2}/, /^● /)
  t.notMatch(well, /do not answer: |No primary|NOT CURRENT/)
  await isLegible(t, page, 'well')

  t.comment('somebody copies the name of the primary')
  await page.evaluate('getSelection().selectAllChildren(document.querySelector("h1"))')
  await shows(page, /NOT CURRENT: .* Nothing is refreshed while text is selected\./)
  await page.evaluate('getSelection().removeAllRanges()')
  await until(async () => !(await page.innerText('body')).includes('NOT CURRENT'), {
    what: 'the page to go on',
  })

  t.comment('the host of the primary dies, and a standby is promoted')
  s1.daemon.kill('SIGKILL')
  await s1.cluster.stop('immediate')
  await shows(
    page,
    /No primary known\n/,
    new RegExp(`1 of 3 members do not answer: ${named(s1)}\\.`),
  )
  await isLegible(t, page, 'silent')
  await s2.cluster.promote('pg_ctl')
  const over = await shows(page, primaryIs(s2), /standby → primary, timeline 2 /)
  t.match(over, new RegExp(`${named(s1)}: primary → silent `))
  await isLegible(t, page, 'failover')

  t.comment('the old primary comes back')
  s1.daemon = await startOn(s1.cluster, s1.http, ports)
  await s1.cluster.launch()
  await shows(page, primaryIs(s2), new RegExp(`▲ Superseded: ${named(s1)}\n`), /▲ unavailable/)
  await isLegible(t, page, 'superseded')

  t.comment('the other standby is promoted as well')
  await s1.cluster.stop()
  await s3.cluster.promote('pg_ctl')
  await shows(
    page,
    /^▲ 2 primaries: /,
    /▲ Another primary is reported by /,
    /Warning: another primary/,
  )
  await isLegible(t, page, 'twins')

  t.strictSame(complaints, [])
  t.strictSame([...new Set(requested)], [address], 'it requests nothing but itself')

  t.comment('the daemon itself ends, and comes back')
  await s2.daemon.stop()
  const old = await shows(
    page,
    /^\? ▲ 2 primaries/,
    /NOT CURRENT: this is \d+ s old, of 20\S+ \S+ UTC\. The daemon does not answer\./,
  )
  t.match(old, /▲ Another primary is reported by /, 'the last state is kept')
  await page.screenshot({ path: join(pictures, 'not-current.png'), fullPage: true })
  s2.daemon = await startOn(s2.cluster, s2.http, ports)
  t.notMatch(await shows(page, /^▲ 2 primaries/), /NOT CURRENT/)
})

t.test('without scripts the browser loads it again', browserProgram.options, async t => {
  const { primary } = await startPair(t, 15)
  const http = await freePort()
  const daemon = await startOn(primary, http, [http])
  t.teardown(daemon.stop)
  await daemon.answers('MASTER')
  const browser = await startBrowser(t, browserProgram.get())
  const context = await browser.newContext({ javaScriptEnabled: false })
  const page = await context.newPage()
  const response = await page.goto(`http://127.0.0.1:${http}/`)
  t.equal(response?.status(), 200)
  await shows(page, /Primary: /, /--peer is not set/)
  await primary.stop()
  await shows(page, /No primary\n/, /no lock file: /)
  t.equal((await page.request.get(`http://127.0.0.1:${http}/ui`)).status(), 200)
  const again = await page.goto(`http://127.0.0.1:${http}/`)
  t.equal(again?.status(), 503)
})
