/** Times of files advance in steps: changes within one step have the same time. */
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { until } from './until.ts'

/** Waits until a change would have another time than all changes so far; `folder` for a probe. */
export const nextFileTime = (folder: string): Promise<void> => {
  const probe = join(folder, 'file-time')
  const touch = (): bigint => {
    writeFileSync(probe, '')
    return statSync(probe, { bigint: true }).ctimeNs
  }
  const began = touch()
  return until(() => touch() > began, { what: 'file times to advance', everyMs: 1 })
}
