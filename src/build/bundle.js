/**
 * Bundles the sources and the libraries into one file that needs only Node, and writes the manual
 * page and completions/ for shells next to it.
 *
 *   node src/build/bundle.js OUTPUT
 */
import { build } from 'esbuild'
import { chmodSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { writeDocuments } from './documents.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/** The last line. A file that is cut may do nothing and be valid, with exit code 0: "primary". */
const end = '// End of pg-replstatus'

const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const [, oldest, major, minor] = /^>=((\d+)\.(\d+))$/.exec(engines.node)

/**
 * The script that Node runs first. A Node that is too old cannot parse the program or lacks
 * modules that it imports, and would end with a stack trace and exit code 1, which means
 * "standby". A shell cannot check the version without starting Node once more, so a separate
 * script does, in syntax that Node 10 accepts. It is quoted with apostrophes, and therefore must
 * not contain any.
 */
const launch = [
  'var node = process.versions.node, part = node.split("."), file = process.argv[1]',
  'function end(why) { console.error("pg-replstatus: error: " + why); process.exit(3) }',
  `if (part[0] < ${major} || part[0] == ${major} && part[1] < ${minor}) ` +
    `end("Node.js must be version ${oldest} or later, but " + process.execPath + " is " + node)`,
  // A function, since a global variable would keep the text in memory. The program is ASCII but for
  // the licences in its last comment: as Latin-1 a character takes one byte rather than two.
  '(function () { var text = require("fs").readFileSync(file, "latin1"); ' +
    `if (text.slice(-${end.length + 1}) != "${end}\\n") end(file + " is truncated: install it again"); ` +
    // As a function, which is compiled without the loader of modules.
    'try { require("vm").compileFunction(text.replace(/^#!/, "//"), [], { filename: file })() }' +
    ' catch (error) { end("could not load " + file + ": " + error) } })()',
].join('; ')

/**
 * The first lines are a shell script and valid JavaScript. The shell starts Node with an option
 * that cannot be set later; for Node, the second line is a string and a comment. Objects made for
 * an answer are garbage at once, so a young generation of 4 MiB is enough: after a flood, the
 * process is 20 MiB smaller than with the default of 16 MiB.
 */
const start = `#!/bin/sh
':' //; exec node --max-semi-space-size=4 -e '${launch}' "$0" "$@"`

/** The program is a script and a module at once, whatever package.json is in its folder. */
const requireForAll = `'use strict'
var require = process.getBuiltinModule`

/** Modules of Node that many runs never use: loading them took as long as loading our code. */
const seldomUsed = /^(?:node:)?(?:assert|child_process|crypto|dns|http|https|os|tls)$/

/**
 * Loads those when something of theirs is used.
 *
 * @type {import('esbuild').Plugin}
 */
const loadWhenUsed = {
  name: 'load when used',
  setup: bundler => {
    bundler.onResolve({ filter: seldomUsed }, ({ path, namespace }) =>
      namespace === 'seldom' ? { path, external: true } : { path, namespace: 'seldom' },
    )
    bundler.onLoad({ filter: /^/, namespace: 'seldom' }, async ({ path }) => {
      const { default: whole, ...named } = await import(path)
      const getters = Object.keys(named).map(name => `get ${name}() { return load().${name} }`)
      // assert is a function itself.
      const stub = typeof whole === 'function' ? '(...given) => load()(...given)' : '{}'
      return {
        contents: `const load = () => require(${JSON.stringify(path)})
const getters = { ${getters.join(', ')} }
module.exports = Object.defineProperties(${stub}, Object.getOwnPropertyDescriptors(getters))`,
      }
    })
  },
}

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
  format: 'cjs',
  target: `node${oldest}`,
  // Names and lines stay readable: it runs with the postgres account, so it can be audited.
  minifySyntax: true,
  legalComments: 'inline',
  banner: { js: `${start}\n${requireForAll}` },
  footer: { js: `${notices}\n${end}` },
  plugins: [loadWhenUsed],
  metafile: true,
  logLevel: 'warning',
})
const unlisted = Object.keys(metafile.inputs)
  .flatMap(path => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? [])
  .filter(name => !libraries.includes(name))
if (unlisted.length > 0) {
  throw new Error(`no licence is included for ${[...new Set(unlisted)].join()}`)
}
const [code] = readFileSync(outfile, 'utf8').split(notices)
if (/[^\t\n -~]/.test(code)) throw new Error('the program is not ASCII, as which it is read')
chmodSync(outfile, 0o755)
await writeDocuments(dirname(outfile))
