/**
 * Makes the Debian package of what is built: the program, its papers and the units of systemd.
 *
 *   node test/harness/deb.js FOLDER
 *
 * The same sources give the same bytes: owners, modes and times do not depend on who makes it,
 * where and when. DEBFULLNAME and DEBEMAIL name the maintainer, as everywhere in Debian.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { releases } from './releases.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
const { name, description, engines } = manifest
const all = releases()
const [{ version, date }] = all
const { DEBFULLNAME = 'The pg-replstatus contributors', DEBEMAIL = 'pg-replstatus@example.org' } =
  process.env
const maintainer = `${DEBFULLNAME} <${DEBEMAIL}>`

/** @param {string} path below the root */
const read = path => readFileSync(join(root, path), 'utf8')
/** @param {string} path */
const isOfFixtures = path => path.startsWith('fixtures/')
/**
 * @param {string} path of a file, or of a flat folder
 * @returns {string[]}
 */
const filesBelow = path =>
  statSync(join(root, path)).isFile()
    ? [path]
    : readdirSync(join(root, path)).map(name => `${path}/${name}`)
/** @param {string} text */
const packed = text => gzipSync(text, { level: 9 })

/** Whose the libraries are is told at the end of the program. */
const program = read('dist/pg-replstatus.js')
const notices = program.slice(program.lastIndexOf('/*\nThis file contains')).slice(3).trimEnd()
const copyright = `${read('LICENSE')}
${notices
  .replace('This file', 'The program')
  .replace('(see LICENSE) ', '')
  .replace(/\n\*\/$/, '')}
`

/** @param {string} day as in 2026-01-31 */
const changelogDate = day => new Date(day).toUTCString().replace('GMT', '+0000')

/**
 * Lines of 76 characters at most.
 *
 * @param {string} text
 * @param {string} indent of all lines but the first
 */
const wrapped = (text, indent) => text.replaceAll(/(.{1,72})(?: |$)/g, `$1\n${indent}`).trimEnd()

/** @param {string} text paragraphs and list items of Markdown */
const changelogItems = text =>
  text
    .split(/\n+(?! )/)
    .map(item => item.replace(/^- /, '').replaceAll(/\s+/g, ' '))
    .map(item => `  * ${wrapped(item, '    ')}`)
    .join('\n')

const changelog = all
  .map(
    release => `${name} (${release.version}) unstable; urgency=medium

${changelogItems(release.text)}

 -- ${maintainer}  ${changelogDate(release.date)}
`,
  )
  .join('\n')

const documents = 'usr/share/doc/pg-replstatus'
/**
 * What people read and take, which the package of npm has too: at the paths of the repository and
 * as it is, so that links lead from one to the other.
 *
 * @type {string[]}
 */
const forPeople = ['README.md', ...manifest.files.filter(isOfFixtures).flatMap(filesBelow)]
/** @type {Record<string, string | Buffer>} */
const files = {
  'usr/lib/pg-replstatus/pg-replstatus.js': program,
  // Without it Node reads the program twice to find out what kind of module it is.
  'usr/lib/pg-replstatus/package.json': `${JSON.stringify({ name, version, type: 'module' })}\n`,
  'usr/lib/systemd/system/pg-replstatus.service': read('fixtures/systemd/pg-replstatus.service'),
  'usr/lib/systemd/system/pg-replstatus@.service': read('fixtures/systemd/pg-replstatus@.service'),
  'usr/lib/systemd/system/pg-replstatus@.socket': read('fixtures/systemd/pg-replstatus@.socket'),
  'usr/share/man/man1/pg-replstatus.1.gz': packed(read('dist/pg-replstatus.1')),
  'usr/share/bash-completion/completions/pg-replstatus': read(
    'dist/completions/pg-replstatus.bash',
  ),
  [`${documents}/copyright`]: copyright,
  [`${documents}/changelog.gz`]: packed(changelog),
  ...Object.fromEntries(forPeople.map(path => [`${documents}/${path}`, read(path)])),
}

const installedKib = Math.ceil(
  Object.values(files).reduce((sum, content) => sum + content.length, 0) / 1024,
)
const control = `Package: ${name}
Version: ${version}
Architecture: all
Maintainer: ${maintainer}
Installed-Size: ${installedKib}
Depends: nodejs (${engines.node.replace(/^>=/, '>= ')})
Suggests: haproxy, postgresql
Section: database
Priority: optional
Description: role of a PostgreSQL server for load balancers
 ${wrapped(description, ' ')}.
`
/** @param {string | Buffer} content */
const md5 = content => createHash('md5').update(content).digest('hex')
const sums = Object.entries(files).map(([path, content]) => `${md5(content)}  ${path}\n`)

const executable = ['usr/lib/pg-replstatus/pg-replstatus.js']

/** @param {string} stage an empty folder */
const furnish = stage => {
  const everything = { ...files, 'DEBIAN/control': control, 'DEBIAN/md5sums': sums.join('') }
  for (const [path, content] of Object.entries(everything)) {
    mkdirSync(join(stage, dirname(path)), { recursive: true })
    writeFileSync(join(stage, path), content)
    chmodSync(join(stage, path), executable.includes(path) ? 0o755 : 0o644)
  }
  mkdirSync(join(stage, 'usr/bin'))
  symlinkSync('../lib/pg-replstatus/pg-replstatus.js', join(stage, 'usr/bin/pg-replstatus'))
}

const [folder = 'dist'] = process.argv.slice(2)
const output = join(resolve(folder), `${name}_${version}_all.deb`)
process.umask(0o022)
const stage = mkdtempSync(join(tmpdir(), 'pg-replstatus-deb-'))
try {
  chmodSync(stage, 0o755)
  furnish(stage)
  execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', stage, output], {
    env: { ...process.env, SOURCE_DATE_EPOCH: String(Date.parse(date) / 1000) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  process.stdout.write(`${output}\n`)
} finally {
  rmSync(stage, { recursive: true, force: true })
}
