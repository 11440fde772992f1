/**
 * Makes the Debian package: the built program, its documents and the systemd units.
 *
 * The same sources give the same bytes: owners, modes and times do not depend on the user, the
 * place or the time of the build. DEBFULLNAME and DEBEMAIL set the maintainer, as usual in Debian.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { releases } from './changelog.js'
import { lintianOverrides, scripts } from './dpkg.js'

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
    : readdirSync(join(root, path)).map(entry => `${path}/${entry}`)
/** @param {string} text */
const packed = text => gzipSync(text, { level: 9 })

/** The licences of the libraries are in a comment at the end of the program. */
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
 * Documents and example files, the same as in the npm package. They keep their paths in the
 * repository, so that links between them work.
 *
 * @type {string[]}
 */
const documentFiles = ['README.md', ...manifest.files.filter(isOfFixtures).flatMap(filesBelow)]
/** @type {Record<string, string | Buffer>} */
const ownFiles = {
  'usr/lib/pg-replstatus/pg-replstatus.js': program,
  // Scanners find the program by its name and version; nothing reads it at a start.
  'usr/lib/pg-replstatus/package.json': `${JSON.stringify({ name, version, type: 'module' })}\n`,
  'usr/lib/systemd/system/pg-replstatus.service': read('fixtures/systemd/pg-replstatus.service'),
  'usr/lib/systemd/system/pg-replstatus@.service': read('fixtures/systemd/pg-replstatus@.service'),
  'usr/lib/systemd/system/pg-replstatus@.socket': read('fixtures/systemd/pg-replstatus@.socket'),
  'usr/share/man/man1/pg-replstatus.1.gz': packed(read('dist/pg-replstatus.1')),
  'usr/share/bash-completion/completions/pg-replstatus': read(
    'dist/completions/pg-replstatus.bash',
  ),
  'usr/share/lintian/overrides/pg-replstatus': lintianOverrides,
  [`${documents}/copyright`]: copyright,
  [`${documents}/changelog.gz`]: packed(changelog),
  ...Object.fromEntries(
    documentFiles.map(path => [`${documents}/${path}`, readFileSync(join(root, path))]),
  ),
}

/** @param {Record<string, string | Buffer>} files */
const controlOf = files => {
  const bytes = Object.values(files).reduce((sum, content) => sum + content.length, 0)
  return `Package: ${name}
Version: ${version}
Architecture: all
Maintainer: ${maintainer}
Installed-Size: ${Math.ceil(bytes / 1024)}
Depends: nodejs (${engines.node.replace(/^>=/, '>= ')})
Suggests: haproxy, postgresql
Section: database
Priority: optional
Description: role of a PostgreSQL server for load balancers
 ${wrapped(description, ' ')}.
`
}

/** @param {string | Buffer} content */
const md5 = content => createHash('md5').update(content).digest('hex')

/** @type {Record<string, string>} */
const ownScripts = Object.fromEntries(
  Object.entries(scripts).map(([file, script]) => [`DEBIAN/${file}`, script]),
)

const executable = ['usr/lib/pg-replstatus/pg-replstatus.js', ...Object.keys(ownScripts)]

/**
 * @param {string} stage an empty folder
 * @param {Record<string, string | Buffer>} files
 */
const furnish = (stage, files) => {
  const sums = Object.entries(files).map(([path, content]) => `${md5(content)}  ${path}\n`)
  const ofDpkg = {
    'DEBIAN/control': controlOf(files),
    'DEBIAN/md5sums': sums.join(''),
    ...ownScripts,
  }
  for (const [path, content] of Object.entries({ ...files, ...ofDpkg })) {
    mkdirSync(join(stage, dirname(path)), { recursive: true })
    writeFileSync(join(stage, path), content)
    chmodSync(join(stage, path), executable.includes(path) ? 0o755 : 0o644)
  }
  mkdirSync(join(stage, 'usr/bin'))
  symlinkSync('../lib/pg-replstatus/pg-replstatus.js', join(stage, 'usr/bin/pg-replstatus'))
}

/**
 * @param {string} folder where to put it
 * @param {string} bill the bill of materials, in CycloneDX format
 */
export const makeDeb = (folder, bill) => {
  const stage = mkdtempSync(join(tmpdir(), 'pg-replstatus-deb-'))
  const umask = process.umask(0o022)
  try {
    chmodSync(stage, 0o755)
    // Scanners expect the bill of materials in this folder.
    furnish(stage, { ...ownFiles, [`${documents}/${name}.cdx.json`]: bill })
    const output = join(folder, `${name}_${version}_all.deb`)
    execFileSync('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', stage, output], {
      env: { ...process.env, SOURCE_DATE_EPOCH: String(Date.parse(date) / 1000) },
      stdio: ['ignore', 'ignore', 'inherit'],
    })
  } finally {
    process.umask(umask)
    rmSync(stage, { recursive: true, force: true })
  }
}
