/**
 * Makes the pictures of the documents, each from a run of the real thing.
 *
 *   npm run pictures                  all of them
 *   npm run pictures -- failover      one of them
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { repositoryRoot } from '../harness/repository.ts'
import { shootPage } from './cluster-page.ts'
import { drawArchitecture } from './architecture.ts'
import { demoCommand, playDemo } from './demo-run.ts'
import { playFairly } from './failover-run.ts'
import { findingsOf, storyOf } from './failover.ts'
import { drawStory } from './lanes.ts'
import { drawTerminal } from './terminal.ts'

type Pictures = Readonly<Record<string, string | Buffer>>

/** Each makes the files whose names begin with its own. */
const makers: Readonly<Record<string, () => Promise<Pictures>>> = {
  architecture: async () => ({ 'architecture.svg': drawArchitecture() }),
  failover: async () => ({
    'failover.svg': drawStory(storyOf(await playFairly(findingsOf))),
  }),
  demo: async () => {
    const show = {
      command: demoCommand,
      printed: await playDemo(),
      title: 'The demo: a promotion, and an old primary that comes back',
    }
    return {
      'demo.svg': drawTerminal({ ...show, isStill: false }),
      'demo-still.svg': drawTerminal({ ...show, isStill: true }),
    }
  },
  'cluster-page': async () => {
    const { light, dark } = await shootPage()
    return { 'cluster-page.png': light, 'cluster-page-dark.png': dark }
  },
}

/** As pg-replstatus itself. */
const exitMistake = 3

const main = async (): Promise<number> => {
  const asked = process.argv.slice(2)
  const known = Object.keys(makers)
  const unknown = asked.filter(text => !known.includes(text))
  if (unknown.length > 0) {
    process.stderr.write(`pictures: no ${unknown.join(', ')}, only ${known.join(', ')}\n`)
    return exitMistake
  }
  const folder = join(repositoryRoot(), 'fixtures', 'pictures')
  mkdirSync(folder, { recursive: true })
  for (const name of asked.length > 0 ? asked : known) {
    for (const [file, picture] of Object.entries((await makers[name]?.()) ?? {})) {
      writeFileSync(join(folder, file), picture)
      process.stdout.write(`${file}: ${Buffer.byteLength(picture)} bytes\n`)
    }
  }
  return 0
}

try {
  process.exitCode = await main()
} catch (failure) {
  process.stderr.write(
    `pictures: ${failure instanceof Error ? failure.message : String(failure)}\n`,
  )
  process.exitCode = 1
}
