/** Makes the software bill of materials (CycloneDX) for scanners, with npm, from the lock file. */
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { fileURLToPath } from 'node:url'
import { releases } from './changelog.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * The same sources give the same text. From npm's output, this replaces the time and the npm
 * version, the random serial number, and the name, which is that of the clone's folder.
 *
 * @param {{ program: string | Buffer, name: string }} of
 * @returns {string} JSON
 */
export const billOfMaterials = ({ program, name }) => {
  const args = ['sbom', '--package-lock-only', '--omit=dev', '--sbom-format=cyclonedx']
  const { serialNumber: _, ...bill } = JSON.parse(
    execFileSync('npm', args, {
      cwd: root,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    }),
  )
  const [{ date }] = releases()
  const content = createHash('sha256').update(program).digest('hex')
  const component = {
    ...bill.metadata.component,
    type: 'application',
    name,
    hashes: [{ alg: 'SHA-256', content }],
  }
  const metadata = { timestamp: `${date}T00:00:00Z`, component }
  return `${JSON.stringify({ ...bill, metadata }, null, 2)}\n`
}
