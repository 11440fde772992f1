/**
 * Makes the program, one file that needs nothing but Node, of our sources and the libraries; and
 * beside it its manual page and completions/ for shells.
 *
 *   node test/harness/bundle.js OUTPUT
 */
import { build } from 'esbuild'
import { chmodSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writePapers } from './papers.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const [, oldest, major, minor] = /^>=((\d+)\.(\d+))$/.exec(engines.node)

/**
 * What Node runs first. A Node that is too old can't read the program, or lacks what it imports,
 * and would end with a stack trace and exit code 1, which means a standby; so would any Node with a
 * file that is cut short. A shell can't tell the version without one more start of Node, so that is
 * done in a script apart, which Node 10 can read as well. It is quoted with apostrophes, and so has
 * none.
 */
const launch = [
  'var node = process.versions.node, part = node.split(".")',
  'function end(why) { console.error("pg-replstatus: error: " + why); process.exit(3) }',
  `if (part[0] < ${major} || part[0] == ${major} && part[1] < ${minor}) ` +
    `end("Node.js must be version ${oldest} or later, but " + process.execPath + " is " + node)`,
  'import(require("url").pathToFileURL(process.argv[1]))' +
    '.catch(error => end("could not load " + process.argv[1] + ": " + error))',
].join('; ')

/**
 * The first lines, for two readers: a shell starts Node with what can't be set later, and for Node
 * the second line is a string and a comment. What an answer leaves behind is dead at once, so that
 * a young generation of 4 MiB will do: a flood leaves 20 MiB less behind than with the usual 16.
 */
const start = `#!/bin/sh
':' //; exec node --max-semi-space-size=4 -e '${launch}' "$0" "$@"`

/** Libraries of the CommonJS kind ask for Node's modules with require(). */
const requireForLibraries = `import { createRequire } from 'node:module'
const require = createRequire(import.meta.url)`

const libraries = ['chokidar', 'readdirp', 'commander']

/** @param {string} name */
const licenceOf = name => {
  const folder = join(root, 'node_modules', name)
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
  const text = readFileSync(join(folder, 'LICENSE'), 'utf8').trim()
  return `${name} ${version}\n\n${text}`
}

const notices = `/*
This file contains pg-replstatus (see LICENSE) and these libraries:

${libraries.map(licenceOf).join('\n\n\n')}
*/`

const [output = 'dist/pg-replstatus.js'] = process.argv.slice(2)
const outfile = join(root, output)
const { metafile } = await build({
  absWorkingDir: root,
  entryPoints: ['src/cli/main.ts'],
  outfile,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: `node${oldest}`,
  // Names and lines stay readable: whoever trusts it with the postgres account may read it.
  minifySyntax: true,
  legalComments: 'inline',
  banner: { js: `${start}\n${requireForLibraries}` },
  footer: { js: notices },
  metafile: true,
  logLevel: 'warning',
})
const strangers = Object.keys(metafile.inputs)
  .flatMap(path => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [])
  .filter(name => !libraries.includes(name))
if (strangers.length > 0) throw new Error(`no licence is told of ${[...new Set(strangers)].join()}`)
chmodSync(outfile, 0o755)
await writePapers(dirname(outfile))
