/**
 * A cluster that is restored to a point in time, while a member that was not restored is still
 * there. PostgreSQL numbers the new timeline after the newest one that the archive knows.
 */
import assert from 'node:assert'
import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cluster } from '../../harness/cluster.ts'
import type { Daemon } from '../../harness/daemon.ts'
import { runProgram } from '../../harness/programs.ts'
import { until } from '../../harness/until.ts'
import type { Arena } from '../arena.ts'
import { watched } from '../faults.ts'
import type { Scenario } from '../scenario.ts'
import { accompany, besideCompanion, withCompanion } from './companions.ts'

const archiveOf = ({ folder }: Cluster): string => join(folder, 'archive')
const backupOf = ({ folder }: Cluster): string => join(folder, 'backup')

const asServer = async ({ folder: cwd, user }: Cluster, program: string, ...args: string[]) => {
  await runProgram({ program, args, cwd, user })
}

const restorePoint = 'here'

/** What is written there, before and after the restore point, is archived when it has stopped. */
const write = async (primary: Cluster, standby: Cluster): Promise<void> => {
  const session = await primary.session()
  await session.query(`select pg_create_restore_point('${restorePoint}')`)
  await session.query('select pg_switch_wal()')
  await session.query('create table written ()')
  await session.close()
  const reader = await standby.session()
  const hasAll = async (): Promise<boolean> => {
    const [row] = await reader.query(`select to_regclass('written') is not null as has`)
    return row?.['has'] === true
  }
  await until(hasAll, { what: 'the standby to have what was written' })
  await reader.close()
}

/** Puts the backup in its place, to be recovered to the restore point by the next start. */
const restore = async (cluster: Cluster): Promise<void> => {
  await rm(cluster.dataDirectory, { recursive: true })
  await asServer(cluster, 'cp', '-a', backupOf(cluster), cluster.dataDirectory)
  cluster.configure({
    restore_command: `cp ${archiveOf(cluster)}/%f %p`,
    recovery_target_name: restorePoint,
    recovery_target_action: 'promote',
  })
  cluster.place('recovery.signal', '')
}

type Before = {
  /** Of the standby, before the restore. */
  readonly isPromoted: boolean
  readonly archives: boolean
}

/** A primary that has stopped and was restored, and a standby that has all that was written. */
const begin = async (arena: Arena, { isPromoted, archives }: Before): Promise<Cluster> => {
  const primary = await arena.stopped()
  const archive = archiveOf(primary)
  await asServer(primary, 'mkdir', archive)
  primary.configure({ archive_mode: 'on', archive_command: `cp %p ${archive}/%f` })
  await asServer(primary, 'cp', '-a', primary.dataDirectory, backupOf(primary))
  await primary.start()
  const standby = await accompany(primary, archives ? {} : { archive_mode: 'off' })
  await write(primary, standby)
  await primary.stop()
  if (isPromoted) await standby.promote('pg_ctl')
  const known = join(archive, '00000002.history')
  if (isPromoted && archives) await until(() => existsSync(known), { what: known })
  await restore(primary)
  return primary
}

const isSuperseded = /another server was promoted/
const hasTwin = /hazard="another primary"/

const assertNever = (daemon: Daemon, pattern: RegExp): void =>
  assert.deepEqual(
    daemon.log().filter(line => pattern.test(line)),
    [],
  )

/** Both are on a timeline 2, of which neither continues the other. */
const bothGoOn = async (one: Daemon, other: Daemon): Promise<void> => {
  for (const daemon of [one, other]) {
    await daemon.said(hasTwin)
    await daemon.answers('MASTER')
    assertNever(daemon, isSuperseded)
  }
}

/** The histories are the same from 10 on. */
const restored: Omit<Scenario, 'name' | 'begin' | 'run'> = {
  since: 18,
  bounds: { wrongRoleMs: 0 },
  options: withCompanion,
}

export const restores: readonly Scenario[] = [
  {
    ...restored,
    name: 'restore to before a promotion that is in the archive',
    since: 15,
    begin: arena => begin(arena, { isPromoted: true, archives: true }),
    run: async ({ cluster, answers, daemon }) => {
      await besideCompanion(cluster, async (_, other) => {
        await other.answers('MASTER')
        await daemon().said(/peer=[^ ]+ role=primary timeline=2/)
        await cluster.start()
        await answers('MASTER')
        // Recovery follows the newest timeline, so that its history says that it came by that.
        await other.said(/is on timeline 3, which began at [^ ]+ of timeline 2 of this server/)
        await other.answers('refused')
        await watched(200)
        assertNever(daemon(), isSuperseded)
      })
    },
  },
  {
    ...restored,
    name: 'restore to before a promotion that is not in the archive',
    begin: arena => begin(arena, { isPromoted: true, archives: false }),
    run: async ({ cluster, answers, daemon }) => {
      await besideCompanion(cluster, async (_, other) => {
        await other.answers('MASTER')
        await daemon().said(/peer=[^ ]+ role=primary timeline=2/)
        await cluster.start()
        await answers('MASTER')
        await bothGoOn(daemon(), other)
      })
    },
  },
  {
    ...restored,
    name: 'restore, then promotion of the standby that was not restored',
    begin: arena => begin(arena, { isPromoted: false, archives: false }),
    run: async ({ cluster, answers, daemon }) => {
      await besideCompanion(cluster, async (standby, other) => {
        await cluster.start()
        await answers('MASTER')
        await other.said(/peer=[^ ]+ role=primary timeline=2/)
        await other.answers('STANDBY')
        await standby.promote('pg_ctl')
        await bothGoOn(daemon(), other)
      })
    },
  },
]
