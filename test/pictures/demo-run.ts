/** The demo by itself, as `npm run demo:script` starts it, and when it printed what. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { toolEnvironment } from '../harness/programs.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { within } from '../harness/until.ts'

/** Milliseconds since it was started. */
export type Printed = { readonly at: number; readonly line: string }

export const demoCommand = 'npm run demo:script'

export const playDemo = async (): Promise<readonly Printed[]> => {
  const program = join(repositoryRoot(), '.build/test/demo/main.js')
  const startedAt = performance.now()
  const child = spawn(process.execPath, [program, '--script'], {
    env: toolEnvironment(),
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const printed: Printed[] = []
  createInterface({ input: child.stdout }).on('line', line => {
    printed.push({ at: performance.now() - startedAt, line })
  })
  const closed = once(child, 'close')
  try {
    const [code] = (await within(closed, { what: 'the demo to end', limitMs: 240_000 })) as [
      unknown,
    ]
    if (code !== 0) throw new Error(`the demo ended with ${String(code)}`)
  } finally {
    child.kill('SIGTERM')
  }
  return printed
}
