/**
 * House rules that a machine can check, over the text of all source files. Each rule lists what
 * breaks it as `file:line: what`, so that a failure reads like a compiler's.
 */
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { wireWords } from '../src/serve/role/reply.ts'
import coverageMap from './harness/coverage-map.js'
import { repositoryRoot } from './harness/repository.ts'
import {
  importsOf,
  isRelative,
  list,
  open,
  read,
  roomOf,
  target,
  type Import,
  type SourceFile,
} from './harness/source-files.ts'
import { importsOfRooms, printStructure, roomsInCircles } from './harness/structure.ts'

const root = repositoryRoot()
const parse = (path: string) => JSON.parse(read(path)) as Record<string, unknown>

const isScript = (path: string): boolean => /\.(ts|js)$/.test(path)
const source = list('src')
  .filter(path => path.endsWith('.ts'))
  .map(open)
/** What builds it. */
const buildPrograms = list('src/build').filter(isScript).map(open)
const tests = list('test').filter(isScript).map(open)
const mirroring = tests.filter(({ path }) => /^test\/(facts|observe|serve|cli)\//.test(path))

/** Wherever the pattern is found. */
const findings = (files: readonly SourceFile[], pattern: RegExp): readonly string[] =>
  files.flatMap(({ path, text }) =>
    Array.from(text.matchAll(new RegExp(pattern, `${pattern.flags}gm`)), ({ 0: found, index }) => {
      const line = text.slice(0, index).split('\n').length
      return `${path}:${line}: ${found.trim()}`
    }),
  )
const except = (...paths: readonly string[]) =>
  source.filter(({ path }) => !paths.includes(path.slice('src/'.length)))

t.test('files are seen by the rules below', async t => {
  for (const files of [source, tests, mirroring]) t.ok(files.length > 50, `${files.length} files`)
  const tree = findings(source, /^import .*/)
  t.ok(tree.length > source.length, `${tree.length} findings`)
})

t.test('the top level has the usual files, and nothing else', async t => {
  const known = [
    'CHANGELOG.md LICENSE README.md package-lock.json package.json tsconfig.json',
    'fixtures src test',
    // Made by tools, and ignored by git.
    'dist node_modules release',
  ].flatMap(names => names.split(' '))
  const found = readdirSync(root).filter(name => !name.startsWith('.') && !name.endsWith('.tgz'))
  t.strictSame(
    found.filter(name => !known.includes(name)),
    [],
  )
})

t.test('src has rooms of four layers, and the programs that build it', async t => {
  const strays = list('src').filter(
    path =>
      !/^src\/(facts|observe|serve|cli)\/([a-z]+\/)?([a-z0-9-]+\.ts|README\.md)$/.test(path) &&
      !/^src\/build\/([a-z]+\.js|README\.md)$/.test(path) &&
      !['src/README.md', 'src/facts/tsconfig.json'].includes(path),
  )
  t.strictSame(strays, [])
})

t.test('test has the rooms of src, and a place for all else', async t => {
  const rooms = new Set(source.map(({ path }) => roomOf(path)))
  const strays = list('test').filter(
    path =>
      !(path.endsWith('.test.ts') && rooms.has(roomOf(path))) &&
      !/^test\/(e2e|harness|fixtures|pictures|demo|truth|bench|soak|nodes|haproxies|roots)\//.test(
        path,
      ) &&
      !['test/tidy.test.ts', 'test/tsconfig.json'].includes(path),
  )
  t.strictSame(strays, [])
})

const imports = source.flatMap(importsOf)
const show = (one: Import): string => `${one.in} imports ${one.from}`

t.test('imports are seen by the rules below', async t => {
  t.ok(imports.length > source.length, `${imports.length} imports`)
  t.strictSame(findings(source, /\bimport\(.*/), [], 'dynamic')
  const lost = imports.filter(isRelative).filter(one => !existsSync(join(root, target(one))))
  t.strictSame(lost.map(show), [], 'leading nowhere')
})

/** Types alone leave nothing to run. */
const hasCode = ({ text }: SourceFile): boolean =>
  /^(?:export )?(?:const|let|function|async function|class|for|if|await)\b|^process\b/m.test(text)

t.test('each source file is loaded by tests of its room, or full coverage would not see it', t => {
  const toRoom = (from: SourceFile): readonly string[] =>
    importsOf(from)
      .filter(one => isRelative(one) && !one.typesOnly)
      .map(target)
      .filter(path => roomOf(path) === roomOf(from.path))
  const loaded = new Set(mirroring.flatMap(toRoom))
  // The process itself is started by its test.
  loaded.add('src/cli/main.ts')
  for (const path of loaded) for (const next of toRoom(open(path))) loaded.add(next)
  const unseen = source.filter(hasCode).filter(({ path }) => !loaded.has(path))
  t.strictSame(
    unseen.map(({ path }) => path),
    [],
  )
  t.end()
})

t.test('a source file is covered by the tests of its room, and by no other', async t => {
  const covered = coverageMap('test/facts/decide/verdict.test.ts') ?? []
  t.ok(
    covered.includes('src/facts/decide/verdict.ts') &&
      covered.includes('src/facts/decide/rules.ts'),
  )
  t.strictSame(
    covered.filter(path => roomOf(path) !== 'facts/decide'),
    [],
  )
  for (const name of ['verdict.test.js', 'room.js']) {
    const compiled = coverageMap(`.build/test/facts/decide/${name}`) ?? []
    t.ok(compiled.includes('.build/src/facts/decide/verdict.js'))
    t.strictSame(
      compiled.filter(path => !path.endsWith('.js')),
      [],
    )
  }
  // To tap an empty list means all there is, and null means nothing.
  t.equal(coverageMap('test/e2e/harness.test.ts'), null)
  t.equal(coverageMap('test/tidy.test.ts'), null)
})

const layersBelow: Readonly<Record<string, readonly string[]>> = {
  facts: [],
  observe: ['facts'],
  serve: ['facts'],
  cli: ['facts', 'observe', 'serve'],
}
const layerOf = (path: string): string => roomOf(path).split('/')[0] ?? ''

t.test('a layer imports from those below it alone', async t => {
  const upwards = imports
    .filter(isRelative)
    .filter(one => layerOf(one.in) !== layerOf(target(one)))
    .filter(one => layersBelow[layerOf(one.in)]?.includes(layerOf(target(one))) !== true)
  t.strictSame(upwards.map(show), [])
})

t.test('rooms do not import each other in a circle', async t => {
  t.ok(importsOfRooms.size > 10, `${importsOfRooms.size} rooms`)
  t.strictSame(roomsInCircles(), [])
})

t.test('the drawing of the structure is up to date: npm run fixtures -- structure', async t => {
  t.equal(read('src/README.md'), printStructure())
})

/** One door to each outside thing, and who may use it. */
const doors: Readonly<Record<string, readonly string[]>> = {
  'node:fs': [
    'observe/files/wal-reader.ts', // pages of the log
    'observe/files/read-at-once.ts', // the same, synchronously
    'observe/files/disk.ts', // the data directory, by callbacks: they cost half of what promises do
    'observe/processes/process-table.ts', // /proc, which never waits
    'observe/processes/freezer.ts', // cgroupfs, the same
    'observe/watch/watch-targets.ts', // constants only
    'cli/main.ts', // what standard error is
    'cli/system/accounts.ts', // inherited descriptors in /proc
  ],
  'node:fs/promises': [
    'observe/processes/process-table.ts', // what may wait in /proc
    'observe/files/pg-controldata.ts', // is there such a program?
    'observe/watch/watch-targets.ts', // inodes of what is to be watched
    'cli/system/accounts.ts', // /etc/passwd
    'observe/files/path-parts.ts', // owners and modes
    'serve/dead-socket.ts', // a socket that was left behind
    'cli/daemon/may-start.ts', // the entries of a directory that is none yet
    'cli/config/config-source.ts', // the configuration file
    'cli/system/credential-files.ts', // certificates and keys
    'cli/system/local-daemon.ts', // sockets of daemons
    'cli/system/host.ts', // the domains of the resolver
    'cli/commands/debian-clusters.ts', // what Debian keeps under /etc/postgresql
  ],
  'node:child_process': [
    'observe/files/pg-controldata.ts',
    'serve/push/shell-command.ts', // of the operator's
    'cli/system/systemd.ts', // Node has no datagram sockets with a path
  ],
  'node:net': [
    'serve/role/answering.ts', // servers
    'serve/dead-socket.ts', // is there still somebody
    'serve/allow-list.ts', // networks
    'serve/http/http-access.ts', // what an address is
    'cli/commands/query.ts', // clients
    'observe/peers/peer-request.ts', // what an address is
    'cli/options/query-target.ts', // what an address is
    'cli/options/option-forms.ts', // what an address is
  ],
  'node:http': ['serve/http/http-server.ts', 'observe/peers/peer-request.ts'],
  'node:https': ['serve/http/http-server.ts', 'observe/peers/peer-request.ts'],
  'node:tls': ['serve/http/tls-credentials.ts'],
  'node:crypto': ['serve/http/tls-credentials.ts', 'serve/http/page-headers.ts'],
  'node:dns': ['cli/commands/query.ts', 'observe/peers/peer-request.ts'],
  'node:os': ['observe/processes/process-table.ts', 'cli/system/host.ts'],
  chokidar: ['observe/watch/chokidar-watch.ts'],
  commander: ['cli/options/command-words.ts'],
}
/** They lead nowhere. */
const harmless = ['node:assert', 'node:path']

t.test('each outside thing has its door', async t => {
  const throughWalls = imports
    .filter(one => !isRelative(one) && !one.typesOnly && !harmless.includes(one.from))
    .filter(one => doors[one.from]?.includes(one.in.slice('src/'.length)) !== true)
  t.strictSame(throughWalls.map(show), [])
  const used = new Set(imports.filter(one => !one.typesOnly).map(one => `${one.from} ${one.in}`))
  const unused = Object.entries(doors).flatMap(([name, paths]) =>
    paths.filter(path => !used.has(`${name} src/${path}`)).map(path => `${name} in ${path}`),
  )
  t.strictSame(unused, [], 'doors that nobody uses')
})

t.test('time comes from one clock', async t => {
  // oxlint knows all other ways to ask for it.
  t.strictSame(findings(except('observe/processes/process-table.ts'), /\bnew Date\(\)/), [])
})

/** Prettier breaks all but comments, which are ours to break, and literals, which can't be. */
const unbreakable = /['"`]|\/.*[^/\\]\/[,;)a-z]*$/

t.test('no line is longer than 100 columns', async t => {
  const long = [...source, ...buildPrograms, ...tests].flatMap(({ path, lines }) =>
    lines.flatMap((line, index) => {
      const isComment = /^\s*(?:\/?\*|\/\/)/.test(line)
      if (line.length <= 100 || (!isComment && unbreakable.test(line))) return []
      return [`${path}:${index + 1}: ${line.length} columns`]
    }),
  )
  t.strictSame(long, [])
})

/**
 * Lines of each function, less those of functions within it: a factory is a list of functions.
 * The layout is prettier's, so that a block ends at the indentation of the line that began it.
 */
const functionLengths = ({ path, lines }: SourceFile): readonly (readonly [string, number])[] => {
  type Open = { readonly at: number; readonly indent: number; length: number }
  const stack: Open[] = []
  const lengths: [string, number][] = []
  for (const [index, line] of lines.entries()) {
    const indent = line.search(/\S/)
    const current = stack.at(-1)
    if (current !== undefined) current.length += 1
    if (current !== undefined && indent === current.indent && /^\s*\}/.test(line)) {
      stack.pop()
      lengths.push([`${path}:${current.at}`, current.length])
    }
    if (/=> \{$|^\s*(?:export )?(?:async )?function\b.*\{$/.test(line)) {
      // The arrow may stand on a later line than the name, at the end of the parameters.
      stack.push({ at: index + 1, indent, length: 1 })
    }
  }
  return lengths
}

t.test('no function is longer than a screen of 70 lines', async t => {
  const lengths = source.flatMap(functionLengths)
  t.ok(lengths.length > source.length, `${lengths.length} functions`)
  const long = lengths.filter(([, length]) => length > 70)
  t.strictSame(
    long.map(([where, length]) => `${where}: ${length} lines`),
    [],
  )
})

t.test('each source file begins with what it is', async t => {
  const mute = source.filter(({ text }) => !/^(?:#!.*\n)?\/\*\*/.test(text))
  t.strictSame(
    mute.map(({ path }) => path),
    [],
  )
})

t.test('only reply.ts contains the words of the wire', async t => {
  const words = new RegExp(`\\b(?:${Object.values(wireWords).join('|')})\\b.*`)
  const others = mirroring.filter(({ path }) => path !== 'test/serve/role/reply.test.ts')
  t.strictSame(findings([...except('serve/role/reply.ts'), ...others], words), [])
})

/** Words that tell nothing, anywhere in a name. */
const emptyWords = ['manager', 'helper', 'helpers', 'util', 'utils', 'common', 'data', 'info']
/** PostgreSQL's own terms, and what is meant literally. */
const terms = /control-?data|data-?directory|commonOffsets/gi

const partsOf = (name: string): readonly string[] =>
  name
    .replaceAll(terms, 'term')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .split(/[^a-z0-9]+/)
const saysNothing = (name: string): boolean => partsOf(name).some(part => emptyWords.includes(part))

t.test('names describe a thing', async t => {
  const files = [...source, ...tests].map(({ path }) => path)
  t.strictSame(files.filter(saysNothing), [], 'files')
  const declared = findings(source, /\b(?:const|let|function|type|class)\s+\w+/)
  const nameOf = (finding: string): string => finding.replace(/^.*\s/, '')
  t.strictSame(
    declared.filter(finding => saysNothing(nameOf(finding))),
    [],
    'what they declare',
  )
  // As verbs: a process and the handle of one are things.
  t.strictSame(
    declared.filter(finding => /^(?:handle|process)[A-Z]/.test(nameOf(finding))),
    [],
    'what they do',
  )
})

t.test('no enum and no namespace: unions and modules do', async t => {
  t.strictSame(
    findings(source, /^\s*(?:export )?(?:declare )?(?:const )?(?:enum|namespace)\b.*/),
    [],
  )
})

t.test('a switch names its cases, so that the compiler misses a new one', async t => {
  const others = except(
    'serve/endpoint.ts', // error codes of the system are without number
    'cli/commands/query.ts', // so are the words of strangers
  )
  t.strictSame(findings(others, /^\s*default:/), [])
})

t.test('no code is excluded from a tool', async t => {
  const all = [...source, ...tests]
  const away = /\b(?:c8|istanbul|v8|node:coverage) (?:ignore|disable)/
  t.strictSame(findings(all, away), [])
  t.strictSame(findings(all, /\b(?:oxlint|eslint)-(?:disable|enable)/), [])
})

t.test('no test is switched off, and none alone switched on', async t => {
  t.strictSame(findings(tests, /\.(?:skip|only|todo)\(.*/), [])
  t.strictSame(findings(mirroring, /\b(?:skip|todo|only): .*/), [])
})

/** Packages that the sources name. */
const named = new Set(
  imports.filter(one => !isRelative(one) && !one.from.startsWith('node:')).map(({ from }) => from),
)

type Lock = {
  readonly [path: string]: {
    readonly dependencies?: Readonly<Record<string, string>>
    readonly hasInstallScript?: boolean
  }
}
const lock = parse('package-lock.json')['packages'] as Lock
/** Those, and what they depend on. */
const libraries = new Set(named)
for (const name of libraries) {
  for (const needed of Object.keys(lock[`node_modules/${name}`]?.dependencies ?? {})) {
    libraries.add(needed)
  }
}

t.test('libraries run as the user of the server, and are named in the README', async t => {
  t.ok(libraries.size > named.size, [...libraries].join(' '))
  const readme = read('README.md')
  t.strictSame(
    [...libraries].filter(name => !readme.includes(name)),
    [],
  )
  t.strictSame(
    [...libraries].filter(name => lock[`node_modules/${name}`]?.hasInstallScript !== undefined),
    [],
    'runs a script of its own',
  )
})

t.test('the program brings its libraries along, each in one version', async t => {
  const manifest = parse('package.json')
  const versions = manifest['dependencies'] as Readonly<Record<string, string>>
  t.ok(named.size > 0)
  t.strictSame(Object.keys(versions).toSorted(), [...named].toSorted())
  t.strictSame(manifest['bundleDependencies'], Object.keys(versions))
  const unpinned = Object.entries(versions).filter(([, of]) => !/^\d+\.\d+\.\d+$/.test(of))
  t.strictSame(unpinned, [])
})
