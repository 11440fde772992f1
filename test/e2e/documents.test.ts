/**
 * What people read, compared with the repository and with the program: links lead somewhere, files
 * that are named exist, and lists have everything that they are lists of.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import t from 'tap'
import { keptVariables } from '../../src/cli/system/accounts.ts'
import { optionsOf } from '../../src/cli/options/option-list.ts'
import { changeVariables, historyJson } from '../../src/facts/report/changes.ts'
import { rows } from '../../src/facts/decide/rules.ts'
import { snapshotJson } from '../../src/facts/report/snapshot-json.ts'
import type { MonotonicMs } from '../../src/facts/units.ts'
import { decide } from '../../src/facts/decide/verdict.ts'
import { printMetrics } from '../../src/serve/http/metrics.ts'
import { noon, primaryEvidence, snapshotOf, standbyEvidence } from '../harness/evidence.ts'
import { repositoryRoot } from '../harness/repository.ts'

const root = repositoryRoot()
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const namesOf = (folder: string): readonly string[] =>
  readdirSync(join(root, folder)).map(name => `${folder}/${name}`)

const pages = namesOf('fixtures/docs')
/** What users get, and may follow links in. */
const shipped = ['README.md', ...pages]
const documents = [...shipped, 'CHANGELOG.md', 'fixtures/README.md']

/** Without the lines of code blocks, where `#` and brackets mean something else. */
const proseOf = (path: string): string => read(path).replaceAll(/^```[^]*?^```$/gm, '')

/** As forges make them of headings: lower case, no punctuation, a dash for each blank. */
const anchorsOf = (path: string): readonly string[] =>
  Array.from(proseOf(path).matchAll(/^#+ (.*)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )

type Link = { readonly from: string; readonly path: string; readonly anchor: string }
/** Those that stay within the repository. */
const linksOf = (from: string): readonly Link[] =>
  Array.from(proseOf(from).matchAll(/\]\(([^()\s]+)\)/g), ([, target = '']) => target)
    .filter(target => !/^https?:/.test(target))
    .map(target => {
      const [path = '', anchor = ''] = target.split('#')
      return { from, path: path === '' ? from : normalize(join(dirname(from), path)), anchor }
    })
const links = documents.flatMap(linksOf)
const written = ({ from, path, anchor }: Link): string => `${from}: ${path}#${anchor}`

t.test('links lead to files, and to headings in them', async t => {
  t.ok(links.length > documents.length, `${links.length} links`)
  const lost = links.filter(
    ({ path, anchor }) =>
      !existsSync(join(root, path)) || (anchor !== '' && !anchorsOf(path).includes(anchor)),
  )
  t.strictSame(lost.map(written), [])
})

t.test('a heading is unique in its document, or its anchor would be another', async t => {
  for (const path of documents) {
    const anchors = anchorsOf(path)
    t.ok(anchors.length > 0, path)
    t.strictSame(anchors, [...new Set(anchors)], path)
  }
})

t.test('each page is linked from the README', async t => {
  t.ok(pages.length > 5, `${pages.length} pages`)
  const linked = linksOf('README.md').map(({ path }) => path)
  t.strictSame(
    pages.filter(page => !linked.includes(page)),
    [],
  )
})

t.test('what is installed links to nothing that is not', async t => {
  const { files } = JSON.parse(read('package.json')) as { files: readonly string[] }
  const installed = ['README.md', 'LICENSE', ...files]
  const isInstalled = ({ path }: Link): boolean =>
    installed.some(file => `${path}/`.startsWith(`${file}/`))
  const lost = links.filter(link => shipped.includes(link.from) && !isInstalled(link))
  t.strictSame(lost.map(written), [])
})

t.test('files of the repository that are named exist', async t => {
  let named = 0
  for (const document of documents) {
    const paths = proseOf(document).match(/(?<=`)(?:src|test|fixtures|\.ci)\/[\w./-]+(?=`)/g) ?? []
    named += paths.length
    t.strictSame(
      paths.filter(path => !existsSync(join(root, path))),
      [],
      document,
    )
  }
  t.ok(named > 0, `${named} files`)
})

t.test('scripts of npm that are named exist', async t => {
  const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> }
  // The changes also name those of the past.
  const named = shipped.flatMap(path => read(path).match(/(?<=npm run )[\w:]+/g) ?? [])
  t.ok(named.includes('demo:script'), `${named.length} scripts`)
  t.strictSame(
    named.filter(name => scripts[name] === undefined),
    [],
  )
})

const optionsPage = 'fixtures/docs/options.md'

/** What stands between backquotes in the first column of the tables below a heading. */
const listedIn = (path: string, heading: string): readonly string[] => {
  const section = read(path)
    .split(/^#+ /m)
    .find(text => text.startsWith(`${heading}\n`))
  const cells = section?.match(/^\| [^|]*/gm) ?? []
  return cells.flatMap(cell => Array.from(cell.matchAll(/`([^`]+)`/g), ([, name = '']) => name))
}

t.test('every option of the daemon is listed, and all others are named', async t => {
  const listed = listedIn(optionsPage, 'Options').filter(text => text.startsWith('--'))
  const serving = optionsOf('serve').map(([name, spec]) =>
    'value' in spec ? `--${name} ${spec.value}` : `--${name}`,
  )
  t.strictSame(listed.toSorted(), [...serving, '--version'].toSorted())
  const texts = [read(optionsPage), read('fixtures/docs/commands.md')]
  const others = (['status', 'history', 'query', 'cluster'] as const).flatMap(optionsOf)
  t.strictSame(
    others.filter(([name]) => !texts.some(text => text.includes(`--${name}`))),
    [],
  )
})

t.test('an option is listed with its values and its default', async t => {
  const lines = read(optionsPage).split('\n')
  for (const [name, { words = [], help }] of optionsOf('serve')) {
    const line = lines.find(text => new RegExp(`^\\| [^|]*--${name}[ \`]`).test(text)) ?? ''
    for (const word of words) t.ok(line.includes(`\`${word}\``), `${name}: ${word}`)
    const [, byDefault = ''] = /\(default: (\w+)/.exec(help.join(' ')) ?? []
    const isExact = words.length > 0 || /^\d+$/.test(byDefault)
    if (isExact) t.match(line, new RegExp(`\\| \`?${byDefault}\\b[^|]*\\|$`), `${name}: default`)
  }
})

t.test('every path of HTTP is listed', async t => {
  const listed = listedIn('fixtures/docs/http.md', 'Paths').map(path => path.replace(/\?.*/, ''))
  const paths = read('src/serve/http/http-routes.ts').match(/(?<=^ {2}\[')\/[a-z-]*(?=',)/gm)
  t.strictSame(new Set(listed), new Set(paths))
})

/** Names of all fields, also of those within others. */
const fieldsOf = (json: unknown): readonly string[] => {
  if (json === null || typeof json !== 'object') return []
  const nested = Object.values(json).flatMap(fieldsOf)
  return Array.isArray(json) ? nested : [...Object.keys(json), ...nested]
}

const statusPage = 'fixtures/docs/status-json.md'

t.test('each field of status --json is on its page', async t => {
  const page = read(statusPage)
  const hazards = [{ name: 'next start fails', warning: '' }] as const
  const all = [
    snapshotJson(snapshotOf(primaryEvidence(), { hazards })),
    snapshotJson(snapshotOf(standbyEvidence())),
  ]
  for (const json of all) {
    t.strictSame(
      fieldsOf(json).filter(name => !page.includes(`\`${name}\``)),
      [],
    )
  }
  const outermost = all.flatMap(json => Object.keys(json))
  const listed = listedIn(statusPage, 'Fields of `status --json`')
  t.strictSame(
    outermost.filter(name => !listed.includes(name)),
    [],
  )
})

const change = {
  at: noon,
  from: decide(standbyEvidence()),
  to: decide(primaryEvidence()),
  postmaster: null,
  timeline: null,
}

t.test('each field of /history is on its page', async t => {
  const fields = fieldsOf(historyJson([change])).filter(name => name !== 'changes')
  t.strictSame(new Set(listedIn('fixtures/docs/http.md', '/history')), new Set(fields))
})

t.test('each variable of a command is on its page', async t => {
  const variables = Object.keys(changeVariables(change, '/pgdata'))
  t.strictSame(new Set(listedIn('fixtures/docs/on-change.md', 'Variables')), new Set(variables))
})

t.test('so does each that is left of the environment of root', async t => {
  const page = read('fixtures/docs/options.md')
  const [, sentence = ''] =
    /Of root's\s+environment it keeps ([^.]*), and nothing else/.exec(page) ?? []
  const listed = Array.from(sentence.matchAll(/`([^`]+)`/g), ([, name]) => name)
  t.strictSame(listed, keptVariables)
})

t.test('each rule, hazard and state of replication is explained', async t => {
  const metrics = printMetrics({
    version: '',
    verdict: change.to,
    snapshot: snapshotOf(standbyEvidence()),
    lag: null,
    now: 0 as MonotonicMs,
    leaseMs: 0,
    counters: { roleChanges: 0, checks: 0, checkSeconds: 0, checkBuckets: [] },
    connections: [],
    certificateExpiresAt: null,
    http: [],
  })
  const told = (pattern: RegExp): readonly string[] =>
    Array.from(metrics.matchAll(pattern), ([, name = '']) => name)
  const [hazards, states] = [
    told(/_hazard\{hazard="([^"]+)"/g),
    told(/_replication\{state="([^"]+)"/g),
  ]
  t.strictSame(new Set(listedIn(statusPage, 'Hazards')), new Set(hazards))
  t.strictSame(new Set(listedIn(statusPage, 'Replication')), new Set(states))
  const reasons = told(/_reason\{reason="([^"]+)"/g)
  const inTable = read('fixtures/decision-table.txt')
  const unexplained = [...rows.map(({ rule }) => rule), ...reasons].filter(
    rule => !inTable.includes(`  ${rule}\n`),
  )
  t.strictSame(new Set(listedIn(statusPage, 'Rules')), new Set(unexplained))
})

/** Of the tables whose last column is that of tests: `FILE`: TITLE; "there" is the file before. */
const testsOfClaims = (path: string): readonly string[] => {
  const rows = proseOf(path).match(/^\|.*\|$/gm) ?? []
  const cells = rows.map(row => row.slice(1, -1).split('|').at(-1)?.trim() ?? '')
  return cells.filter(cell => /^(?:`test\/|there)/.test(cell))
}

t.test('each claim about security has a test of that name', async t => {
  const page = 'fixtures/docs/security.md'
  const tables = read(page).match(/^\|[^\n]*\| test +\|$/gm) ?? []
  const claims = testsOfClaims(page)
  t.ok(tables.length > 0 && claims.length > tables.length, `${claims.length} claims`)
  let file = ''
  for (const claim of claims) {
    const [, named, title = ''] = /^(?:`(test\/[\w./-]+)`|there): (.+)$/.exec(claim) ?? []
    file = named ?? file
    const titles = existsSync(join(root, file)) ? read(file) : ''
    const isThere = [`'${title}'`, `"${title}"`].some(quoted => titles.includes(quoted))
    t.ok(isThere, claim)
  }
})
