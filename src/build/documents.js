/** Writes the manual page and the completion for bash, from the same sources as --help. */
import { build } from 'esbuild'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { releases } from './changelog.js'

const root = fileURLToPath(new URL('../..', import.meta.url))

const sources = `
export { bashCompletion } from './src/cli/options/completion.ts'
export { manualPage } from './src/cli/options/manual.ts'
`

/** @param {string} folder with the program */
export const writeDocuments = async folder => {
  const { outputFiles } = await build({
    absWorkingDir: root,
    stdin: { contents: sources, resolveDir: root, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    write: false,
    logLevel: 'warning',
  })
  const code = Buffer.from(outputFiles[0].contents).toString('base64')
  const { bashCompletion, manualPage } = await import(`data:text/javascript;base64,${code}`)
  const [{ version, date }] = releases()
  writeFileSync(join(folder, 'pg-replstatus.1'), manualPage({ version, date }))
  mkdirSync(join(folder, 'completions'), { recursive: true })
  writeFileSync(join(folder, 'completions/pg-replstatus.bash'), bashCompletion())
}
