import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { version } from '../../../src/cli/output/version.ts'
import { repositoryRoot } from '../../harness/repository.ts'

t.test('is that of the package', async t => {
  const text = readFileSync(join(repositoryRoot(), 'package.json'), 'utf8')
  t.equal(version, (JSON.parse(text) as { version: string }).version)
})
