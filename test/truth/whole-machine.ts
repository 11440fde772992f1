/**
 * What can be done only to the whole machine, so that it is done for a moment, by a referee that
 * was allowed to, and undone whatever comes of it.
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { runProgram } from '../harness/programs.ts'

const inotifyLimit = '/proc/sys/fs/inotify/max_user_instances'

/** Nobody gets an inotify instance while `action` runs. */
export const withoutInotify = async (action: () => Promise<void>): Promise<void> => {
  const before = readFileSync(inotifyLimit, 'latin1')
  writeFileSync(inotifyLimit, '0')
  try {
    await action()
  } finally {
    writeFileSync(inotifyLimit, before)
  }
}

/** Sets the clock forward by so many seconds, back if negative. */
export const stepClock = async (seconds: number): Promise<void> => {
  const date = `@${(Date.now() / 1000 + seconds).toFixed(3)}`
  await runProgram({ program: 'date', args: ['-s', date], cwd: '/' })
}
