/**
 * Words to avoid in what users read: pages, example files, help, manual page and messages of the
 * program; and in titles of tests. The plain word is beside each.
 */
import t from 'tap'
import { help } from '../../src/cli/options/help.ts'
import { manualPage } from '../../src/cli/options/manual.ts'
import { list, open } from '../harness/source-files.ts'
import { literalsOf, titlesOf, type Literal } from '../harness/string-literals.ts'

type Avoided = {
  readonly words: RegExp
  readonly instead: string
  /** Must be found. */
  readonly example: string
}

/** Clients, servers and processes are no persons. */
const persons: Avoided = {
  words: /\b(?:some|no|any|every)(?:body|one)\b|\bno one\b|\bwho(?:m|ever)?\b|\b(?:he|him|his)\b/i,
  instead: 'the client, a process, another user',
  example: 'whoever connects',
}

const avoided: readonly Avoided[] = [
  persons,
  { words: /\b(?:tells?|told)\b/i, instead: 'report, return, show', example: 'it is told' },
  { words: /\b(?:says|said)\b/i, instead: 'report, show, contain', example: 'status says so' },
  { words: /\b(?:hears?|heard)\b/i, instead: 'receive', example: 'a peer was heard' },
  { words: /\bspeaks?\b|\bspoke\b/i, instead: 'use, send', example: 'speaks like it' },
  { words: /\bknows\b/i, instead: 'detect, support, have', example: 'the daemon knows' },
  { words: /\bbelie(?:ved?|ves)\b/i, instead: 'accept, rely on', example: 'is believed' },
  { words: /\bst(?:ands|ood)\b/i, instead: 'is set, is in, remains', example: 'it stands in' },
  { words: /\bbesides\b/i, instead: 'also, in addition', example: 'besides, it is' },
  { words: /\b(?:go|goes|going|went) on\b/i, instead: 'continue', example: 'all goes on' },
  { words: /\bgoes (?:first|before)\b/i, instead: 'takes precedence', example: 'it goes first' },
  {
    words: /\b(?:an?|the|each|every|first|last|next|no|one|two) looks?\b|\blook(?:s|ed)? again\b/i,
    instead: 'check',
    example: 'before the first look',
  },
  {
    words: /\b(?:an?|each|every|per|TCP|of) connects?\b|\bconnects (?:are|is|were|lost)\b/i,
    instead: 'connection',
    example: 'answers every TCP connect',
  },
  { words: /\bstrangers?\b/i, instead: 'an unrelated process', example: 'a stranger' },
  { words: /\bdrained\b/i, instead: 'in maintenance mode', example: 'drained by hand' },
  { words: /\bpulse lost\b/i, instead: 'server process gone', example: 'pulse lost' },
  { words: /\bbe had\b/i, instead: 'is not available', example: 'cannot be had' },
  { words: /, wanted\b/i, instead: 'must be', example: 'is 80, wanted a name' },
  { words: /\bmakes no sense\b/i, instead: 'invalid', example: 'it makes no sense' },
  { words: /\bby ourselves\b/i, instead: 'directly', example: 'read by ourselves' },
  { words: /\bwithout a word\b/i, instead: 'without data', example: 'closes without a word' },
]

/** Not of the daemon, which has this name in the code; Kubernetes has probes of its own. */
const probe: Avoided = {
  words: /(?<!(?:readiness|liveness|startup) )\bprobes?\b/i,
  instead: 'daemon, check',
  example: 'the probe answers',
}

const found = (texts: readonly Literal[], words: readonly Avoided[]): readonly string[] =>
  texts.flatMap(({ place, text }) =>
    words.flatMap(({ words, instead }) => {
      const [word] = words.exec(text) ?? []
      return word === undefined ? [] : [`${place}: "${word}": ${instead}`]
    }),
  )

const linesOf = (place: string, text: string): readonly Literal[] =>
  text.split('\n').map((text, index) => ({ place: `${place}:${index + 1}`, text }))
const linesIn = (path: string): readonly Literal[] => linesOf(path, open(path).text)

const isPage = (path: string): boolean =>
  /^README\.md$|^src\/.*README\.md$|^fixtures\/Dockerfile$/.test(path) ||
  /^fixtures\/(?:docs\/|systemd\/)?[^/]+\.(?:md|txt|cfg|conf|yml|service|socket)$/.test(path)
const pages = ['README.md', ...list('fixtures'), ...list('src')].filter(isPage)
const sources = list('src').filter(path => path.endsWith('.ts'))
const tests = list('test').filter(path => path.endsWith('.ts'))

t.test('each pattern finds its example, and none finds ordinary text', async t => {
  for (const { words, example } of [...avoided, probe]) t.match(example, words)
  const ordinary = [
    'a client that connects to the port is answered',
    'stand-alone, a standby, the whole understanding, a known state, belief',
    'HAProxy drains the server; a readiness probe of Kubernetes',
  ].map(text => ({ place: '', text }))
  t.strictSame(found(ordinary, [...avoided, probe]), [])
})

t.test('pages and example files', async t => {
  t.ok(pages.length > 40, `${pages.length} pages`)
  const ofUsers = pages.filter(path => !path.startsWith('src/')).flatMap(linesIn)
  const ofRooms = pages.filter(path => path.startsWith('src/')).flatMap(linesIn)
  t.strictSame(found(ofUsers, [...avoided, probe]), [])
  t.strictSame(found(ofRooms, avoided), [])
})

t.test('the change log, which also has former names', async t => {
  t.strictSame(found(linesIn('CHANGELOG.md'), [persons]), [])
})

t.test('help and manual page', async t => {
  const texts = { ...help, manual: manualPage({ version: '1.2.3', date: '2026-01-31' }) }
  const lines = Object.entries(texts).flatMap(([name, text]) => linesOf(name, text))
  t.ok(lines.length > 200, `${lines.length} lines`)
  t.strictSame(found(lines, [...avoided, probe]), [])
})

t.test('messages of the program', async t => {
  const texts = sources.map(open).flatMap(literalsOf)
  const messages = texts.filter(({ text }) => /[a-z] [a-z]/i.test(text))
  t.ok(messages.length > 500, `${messages.length} messages`)
  t.strictSame(found(messages, [...avoided, probe]), [])
})

t.test('titles of tests', async t => {
  const titles = tests.map(open).flatMap(titlesOf)
  t.ok(titles.length > 1500, `${titles.length} titles`)
  t.strictSame(found(titles, avoided), [])
})
