/** Data directories that are replaced, moved, hidden and closed while they are watched. */
import { chmodSync, renameSync, symlinkSync } from 'node:fs'
import { readdir, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Cluster } from '../../harness/cluster.ts'
import { runProgram } from '../../harness/programs.ts'
import { ended } from '../arena.ts'
import { watched, writeSomething } from '../faults.ts'
import type { Scenario } from '../scenario.ts'
import { serverProgram } from '../server-programs.ts'

const asideOf = ({ folder }: Cluster): string => join(folder, 'aside')
const linkOf = ({ folder }: Cluster): string => join(folder, 'link')

const asServer = async (cluster: Cluster, program: string, ...args: readonly string[]) => {
  const { folder: cwd, user } = cluster
  await runProgram({ program, args, cwd, user })
}

/** In one step, as administrators should: a reader sees the one or the other. */
const leadTo = (link: string, target: string): void => {
  symlinkSync(target, `${link}.new`)
  renameSync(`${link}.new`, link)
}

const empty = async (directory: string): Promise<void> => {
  for (const entry of await readdir(directory)) {
    await rm(join(directory, entry), { recursive: true })
  }
}

export const directories: readonly Scenario[] = [
  {
    name: 'data directory deleted and cloned again',
    begin: arena => arena.primary(),
    run: async ({ cluster, answers, daemon }) => {
      await answers('MASTER')
      await cluster.stop()
      await asServer(cluster, 'cp', '-a', cluster.dataDirectory, asideOf(cluster))
      await rm(cluster.dataDirectory, { recursive: true })
      await daemon().said(/does not exist/)
      await rename(asideOf(cluster), cluster.dataDirectory)
      await cluster.start()
      await answers('MASTER')
    },
  },
  {
    name: 'data directory renamed under a running server, and back',
    begin: arena => arena.primary(),
    run: async ({ cluster, answers, probeBlinded }) => {
      await answers('MASTER')
      const sighted = probeBlinded()
      renameSync(cluster.dataDirectory, asideOf(cluster))
      await answers('refused')
      renameSync(asideOf(cluster), cluster.dataDirectory)
      sighted()
      await answers('MASTER')
    },
  },
  {
    name: 'symbolic link led to another cluster, and back',
    begin: async arena => {
      const cluster = await arena.primary()
      symlinkSync(cluster.dataDirectory, linkOf(cluster))
      return cluster
    },
    options: cluster => ({ pgdata: linkOf(cluster) }),
    run: async ({ cluster, answers, probeBlinded }, arena) => {
      await answers('MASTER')
      const other = await arena.standby()
      await ended(other, async () => {
        const sighted = probeBlinded()
        leadTo(linkOf(cluster), other.dataDirectory)
        await answers('STANDBY')
        leadTo(linkOf(cluster), cluster.dataDirectory)
        await answers('MASTER')
        leadTo(linkOf(cluster), '/nowhere')
        await answers('refused')
        leadTo(linkOf(cluster), cluster.dataDirectory)
        sighted()
        await answers('MASTER')
      })
    },
  },
  {
    name: 'something mounted over the data directory',
    needs: ['root'],
    // The kernel sends no event about a mount: only the tick finds it, and what it hid.
    bounds: { wrongSilenceMs: 600 },
    begin: arena => arena.primary(),
    run: async ({ cluster, answers, probeBlinded }) => {
      await answers('MASTER')
      const { dataDirectory } = cluster
      const sighted = probeBlinded()
      await runProgram({
        program: 'mount',
        args: ['-t', 'tmpfs', 'nothing', dataDirectory],
        cwd: '/',
      })
      await answers('refused')
      // Lazily: a probe that looks this very moment would make it busy.
      await runProgram({ program: 'umount', args: ['--lazy', dataDirectory], cwd: '/' })
      sighted()
      await answers('MASTER')
    },
  },
  {
    name: 'data directory closed to all, and opened again',
    begin: arena => arena.primary(),
    run: async ({ cluster, answers, daemon, probeBlinded }) => {
      await answers('MASTER')
      const sighted = probeBlinded()
      chmodSync(cluster.dataDirectory, 0)
      await daemon().said(/could not read .*: EACCES/)
      await answers('refused')
      chmodSync(cluster.dataDirectory, 0o700)
      sighted()
      await answers('MASTER')
    },
  },
  {
    name: 'pg_basebackup into the data directory',
    since: 15,
    until: 15,
    needs: ['server programs'],
    begin: arena => arena.primary(),
    run: async ({ cluster, answers }, arena) => {
      await answers('MASTER')
      const upstream = await arena.upstream()
      await cluster.stop()
      await empty(cluster.dataDirectory)
      const from = ['-h', '127.0.0.1', '-p', String(upstream.port), '-U', 'postgres']
      const how = ['-D', cluster.dataDirectory, '-c', 'fast', '-X', 'stream']
      await asServer(cluster, serverProgram('pg_basebackup'), ...from, ...how)
      cluster.configure({})
      await watched(600)
      cluster.requestStandby(upstream)
      await cluster.start()
      await answers('STANDBY')
    },
  },
  {
    name: 'pg_rewind of a former primary',
    since: 15,
    until: 15,
    needs: ['server programs'],
    begin: arena => arena.standby({ wal_log_hints: 'on', wal_keep_size: '1GB' }),
    run: async ({ cluster, answers }, arena) => {
      const upstream = await arena.upstream()
      await answers('STANDBY')
      await cluster.promote('pg_ctl')
      await answers('MASTER')
      await writeSomething(cluster)
      await cluster.stop()
      const source = `host=127.0.0.1 port=${upstream.port} user=postgres dbname=postgres`
      const args = ['-D', cluster.dataDirectory, '--source-server', source]
      await asServer(cluster, serverProgram('pg_rewind'), ...args)
      // The copy is consistent only at the source's insert position, which an idle source that
      // has not flushed so far never sends.
      await writeSomething(upstream)
      cluster.configure({})
      await watched(600)
      cluster.requestStandby(upstream)
      await cluster.start()
      await answers('STANDBY')
    },
  },
]
