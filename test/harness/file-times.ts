/** The clock by which the kernel stamps files: it ticks every few milliseconds. */
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Waits, without giving up its turn, until what is written from now on bears a later time. */
export const untilFileTimesMove = (): void => {
  const folder = mkdtempSync(join(tmpdir(), 'pg-replstatus-'))
  const trial = join(folder, 'trial')
  const write = (): bigint => {
    writeFileSync(trial, '')
    return statSync(trial, { bigint: true }).ctimeNs
  }
  const first = write()
  while (write() === first) continue
  rmSync(folder, { recursive: true })
}
