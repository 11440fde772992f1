/** What happens to data directories, each with what has to be seen in the end. */
import {
  closeSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn } from 'node:timers/promises'
import type { Lookout } from './lookout.ts'

export const makeCluster = (data: string, controlFile = 'first'): void => {
  mkdirSync(join(data, 'global'), { recursive: true })
  writeFileSync(join(data, 'global', 'pg_control'), controlFile)
}

/** As PostgreSQL does it: the same file, not cut short first. */
const overwrite = (path: string, text: string): void => {
  const file = openSync(path, 'r+')
  writeSync(file, text, 0)
  closeSync(file)
}

/** As those who write a new file and rename it over the old one. */
export const replace = (path: string, text: string): void => {
  writeFileSync(`${path}.new`, text)
  renameSync(`${path}.new`, path)
}

const spin = (ms: number): void => {
  const end = performance.now() + ms
  while (performance.now() < end);
}

export const seesControlFile = (lookout: Lookout, expected: string | null) =>
  lookout.sees(`control file ${expected}`, ({ controlFile }) => controlFile === expected)

export type Scenario = {
  /** Made before the watcher starts; without it, a whole cluster in `data`. */
  readonly before?: (top: string) => void
  readonly directory?: string
  readonly run: (lookout: Lookout, data: string, top: string) => Promise<void>
}

export const scenarios: Readonly<Record<string, Scenario>> = {
  'the control file is written in place': {
    run: async (lookout, data) => {
      for (let round = 1; round <= 50; round += 1) {
        overwrite(join(data, 'global', 'pg_control'), `round ${round}`)
        await seesControlFile(lookout, `round ${round}`)
      }
    },
  },
  'the control file is written twice within a millisecond or two': {
    run: async (lookout, data) => {
      for (let round = 101; round <= 200; round += 1) {
        overwrite(join(data, 'global', 'pg_control'), `half of ${round}`)
        await turn()
        spin(1)
        overwrite(join(data, 'global', 'pg_control'), `round of ${round}`)
        await seesControlFile(lookout, `round of ${round}`)
      }
    },
  },
  'standby.signal comes and goes': {
    run: async (lookout, data) => {
      for (let round = 1; round <= 20; round += 1) {
        writeFileSync(join(data, 'standby.signal'), '')
        await lookout.sees('standby.signal', ({ standbySignal }) => standbySignal === '')
        unlinkSync(join(data, 'standby.signal'))
        await lookout.sees('its end', ({ standbySignal }) => standbySignal === null)
      }
    },
  },
  'postmaster.pid is made, rewritten and removed': {
    run: async (lookout, data) => {
      const lockFile = join(data, 'postmaster.pid')
      for (let round = 1; round <= 10; round += 1) {
        writeFileSync(lockFile, `${round}\n`)
        for (const status of ['starting', 'starting', 'ready   ']) {
          await turn()
          spin(1)
          overwrite(lockFile, `${round}\n${status}`)
        }
        await lookout.sees('last line', ({ lockFile: text }) => text === `${round}\nready   `)
        unlinkSync(lockFile)
        await lookout.sees('no lock file', ({ lockFile: text }) => text === null)
      }
    },
  },
  'the control file is replaced by another, again and again': {
    run: async (lookout, data) => {
      for (let round = 1; round <= 10; round += 1) {
        replace(join(data, 'global', 'pg_control'), `replaced ${round}`)
        await seesControlFile(lookout, `replaced ${round}`)
        await lookout.settled()
      }
    },
  },
  'the data directory is removed and made again': {
    run: async (lookout, data) => {
      for (let round = 1; round <= 5; round += 1) {
        rmSync(data, { recursive: true })
        await lookout.sees('nothing', ({ directory }) => directory === null)
        makeCluster(data, `made ${round}`)
        await seesControlFile(lookout, `made ${round}`)
        rmSync(data, { recursive: true })
        makeCluster(data, `made at once ${round}`)
        await seesControlFile(lookout, `made at once ${round}`)
      }
    },
  },
  'it is filled bit by bit, the control file last, as pg_basebackup does': {
    run: async (lookout, data) => {
      for (let round = 1; round <= 5; round += 1) {
        rmSync(data, { recursive: true })
        await lookout.sees('nothing', ({ directory }) => directory === null)
        mkdirSync(data)
        await lookout.sees('a directory', ({ directory }) => directory !== null)
        for (const entry of ['base', 'global', 'pg_wal']) {
          mkdirSync(join(data, entry))
          await turn()
          spin(round)
        }
        writeFileSync(join(data, 'global', 'pg_control'), `complete ${round}`)
        await seesControlFile(lookout, `complete ${round}`)
      }
    },
  },
  'the contents are wiped and refilled': {
    run: async (lookout, data) => {
      for (let round = 1; round <= 5; round += 1) {
        rmSync(join(data, 'global'), { recursive: true })
        await seesControlFile(lookout, null)
        makeCluster(data, `refilled ${round}`)
        await seesControlFile(lookout, `refilled ${round}`)
      }
    },
  },
  'global/ is moved away and back': {
    run: async (lookout, data) => {
      for (let round = 1; round <= 5; round += 1) {
        renameSync(join(data, 'global'), join(data, 'aside'))
        await seesControlFile(lookout, null)
        overwrite(join(data, 'aside', 'pg_control'), `aside ${round}`)
        renameSync(join(data, 'aside'), join(data, 'global'))
        await seesControlFile(lookout, `aside ${round}`)
      }
    },
  },
  'it is swapped for another by two renames': {
    before: top => {
      makeCluster(join(top, 'data'))
      makeCluster(join(top, 'other'), 'other')
    },
    run: async (lookout, data, top) => {
      for (const expected of ['other', 'first', 'other', 'first', 'other']) {
        renameSync(data, join(top, 'aside'))
        renameSync(join(top, 'other'), data)
        renameSync(join(top, 'aside'), join(top, 'other'))
        await seesControlFile(lookout, expected)
      }
    },
  },
  'it is moved away and back': {
    run: async (lookout, data, top) => {
      for (let round = 1; round <= 5; round += 1) {
        renameSync(data, join(top, 'aside'))
        await lookout.sees('nothing', ({ directory }) => directory === null)
        renameSync(join(top, 'aside'), data)
        await seesControlFile(lookout, 'first')
        renameSync(data, join(top, 'aside'))
        renameSync(join(top, 'aside'), data)
        overwrite(join(data, 'global', 'pg_control'), 'back!')
        await seesControlFile(lookout, 'back!')
        overwrite(join(data, 'global', 'pg_control'), 'first')
      }
    },
  },
  'a symbolic link is led elsewhere': {
    before: top => {
      makeCluster(join(top, 'one'), 'one')
      makeCluster(join(top, 'two'), 'two')
      symlinkSync('one', join(top, 'data'))
    },
    run: async (lookout, data, top) => {
      for (const expected of ['two', 'one', 'two', 'one', 'two']) {
        symlinkSync(expected, join(top, 'link'))
        renameSync(join(top, 'link'), data)
        await seesControlFile(lookout, expected)
      }
    },
  },
  'it is not there at first': {
    before: () => {},
    run: async (lookout, data) => {
      makeCluster(data, 'at last')
      await seesControlFile(lookout, 'at last')
    },
  },
  'two levels are missing at first': {
    before: () => {},
    directory: 'two/levels/data',
    run: async (lookout, data, top) => {
      mkdirSync(join(top, 'two'))
      await turn()
      spin(2)
      mkdirSync(join(top, 'two', 'levels'))
      await turn()
      spin(2)
      makeCluster(data, 'at last')
      await seesControlFile(lookout, 'at last')
      rmSync(join(top, 'two'), { recursive: true })
      await lookout.sees('nothing', ({ directory }) => directory === null)
      makeCluster(data, 'again')
      await seesControlFile(lookout, 'again')
    },
  },
  'its name ends in a tilde': {
    before: top => {
      makeCluster(join(top, 'data~'))
    },
    directory: 'data~',
    run: async (lookout, data) => {
      overwrite(join(data, 'global', 'pg_control'), 'heard')
      await seesControlFile(lookout, 'heard')
    },
  },
}
