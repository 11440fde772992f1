/**
 * Makes the release files from the built program: the program as one file, the Debian and npm
 * packages, the bill of materials, and a file with all checksums.
 *
 *   node src/build/release.js FOLDER
 *
 * The same sources give the same bytes, so that a release can be reproduced and compared.
 */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, readFileSync } from 'node:fs'
import { readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { makeDeb } from './deb.js'
import { billOfMaterials } from './sbom.js'

const root = fileURLToPath(new URL('../..', import.meta.url))
const { name, version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))

const [folder = 'release'] = process.argv.slice(2)
const output = resolve(root, folder)
rmSync(output, { recursive: true, force: true })
mkdirSync(output, { recursive: true })

/**
 * @param {string} program
 * @param {string[]} args
 * @param {string} cwd
 */
const run = (program, args, cwd = root) =>
  execFileSync(program, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] })

/** Packs a copy: npm keeps file modes, which depend on the umask of the user who cloned. */
const packForNpm = () => {
  // The scripts would only build what is built already.
  const pack = ['pack', '--ignore-scripts', '--loglevel=error']
  const [{ files }] = JSON.parse(run('npm', [...pack, '--dry-run', '--json']))
  const stage = mkdtempSync(join(tmpdir(), 'pg-replstatus-release-'))
  try {
    for (const { path } of files) {
      const copy = join(stage, path)
      mkdirSync(dirname(copy), { recursive: true })
      copyFileSync(join(root, path), copy)
      chmodSync(copy, path === 'dist/pg-replstatus.js' ? 0o755 : 0o644)
    }
    run('npm', [...pack, '--pack-destination', output], stage)
  } finally {
    rmSync(stage, { recursive: true, force: true })
  }
}

const built = join(root, 'dist/pg-replstatus.js')
copyFileSync(built, join(output, `${name}-${version}.js`))
const bill = billOfMaterials({ program: readFileSync(built), name })
writeFileSync(join(output, `${name}-${version}.cdx.json`), bill)
try {
  makeDeb(output, bill)
} catch (failure) {
  if (failure.code !== 'ENOENT') throw failure
  process.stderr.write('release: dpkg-deb is missing; install it with: apt-get install dpkg\n')
  process.exit(1)
}
packForNpm()

/** @param {string} file */
const checksum = file =>
  createHash('sha256')
    .update(readFileSync(join(output, file)))
    .digest('hex')
const sums = readdirSync(output)
  .toSorted()
  .map(file => `${checksum(file)}  ${file}\n`)
  .join('')
writeFileSync(join(output, 'SHA256SUMS'), sums)
process.stdout.write(`${output}:\n${sums}`)
