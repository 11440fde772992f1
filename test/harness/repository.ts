/**
 * Where the checkout is, wherever this file runs from: as TypeScript in test/harness under tap,
 * or compiled in .build/test/harness for the demo and the fixtures.
 */
import assert from 'node:assert'
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The folder of package.json, the first one upwards from here. */
export const repositoryRoot = (): string => {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json'))) {
    assert(folder !== dirname(folder), 'no package.json above the harness')
    folder = dirname(folder)
  }
  return folder
}

/** A file of fixtures/, as users take it. */
export const readExample = (name: string): string =>
  readFileSync(join(repositoryRoot(), 'fixtures', name), 'utf8')
