/** Control files that can't be read, or are not what they seem. */
import {
  chownSync,
  closeSync,
  ftruncateSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'
import { commonOffsets } from '../../../src/facts/decode/control-layouts.ts'
import { crc32c } from '../../../src/facts/decode/checksums.ts'
import type { Cluster } from '../../harness/cluster.ts'
import { layoutOfVersion } from '../../harness/control-file-builder.ts'
import { runProgram } from '../../harness/programs.ts'
import { watched } from '../faults.ts'
import type { Scenario } from '../scenario.ts'
import { now } from '../testimony.ts'

const pathOf = ({ dataDirectory }: Cluster): string => join(dataDirectory, 'global', 'pg_control')

/** In place, as the server writes it. */
const overwrite = (path: string, ...parts: readonly Uint8Array[]): void => {
  const file = openSync(path, 'r+')
  let at = 0
  for (const part of parts) {
    writeSync(file, part, 0, part.length, at)
    at += part.length
    if (at < parts.reduce((sum, { length }) => sum + length, 0)) spin(tornMs)
  }
  closeSync(file)
}

/** How long a file stays half-written: a writer that lost its processor in the middle. */
const tornMs = 0.3

const spin = (ms: number): void => {
  const until = now() + ms
  while (now() < until);
}

const changed = (bytes: Buffer, change: (copy: Buffer) => void): Buffer => {
  const copy = Buffer.from(bytes)
  change(copy)
  return copy
}

const sign = (bytes: Buffer, { major }: Cluster): void => {
  const { checksumAt } = layoutOfVersion(String(major))
  bytes.writeUInt32LE(crc32c(bytes.subarray(0, checksumAt)), checksumAt)
}

type Damage = {
  readonly name: string
  readonly seen: RegExp
  /** Does it; what the file was is put back by the caller. */
  readonly inflict: (cluster: Cluster, bytes: Buffer) => Promise<void> | void
}

const damages: readonly Damage[] = [
  {
    name: 'cut short',
    seen: /it is 100 bytes long/,
    inflict: cluster => {
      const file = openSync(pathOf(cluster), 'r+')
      ftruncateSync(file, 100)
      closeSync(file)
    },
  },
  {
    name: 'overwritten with garbage',
    seen: /its checksum is|no checksum is valid/,
    inflict: (cluster, bytes) =>
      overwrite(
        pathOf(cluster),
        changed(bytes, copy => copy.fill(0xa5)),
      ),
  },
  {
    name: 'damaged in its state',
    seen: /its checksum is/,
    inflict: (cluster, bytes) => {
      overwrite(
        pathOf(cluster),
        changed(bytes, copy => copy.writeUInt32LE(5, commonOffsets.state)),
      )
    },
  },
  {
    name: 'of the version of a fork',
    seen: /control version 1501 .* is unknown/,
    inflict: (cluster, bytes) => {
      const foreign = changed(bytes, copy => {
        copy.writeUInt32LE(1501, commonOffsets.controlVersion)
        sign(copy, cluster)
      })
      overwrite(pathOf(cluster), foreign)
    },
  },
  {
    name: 'of the other byte order',
    seen: /its byte order is big-endian/,
    inflict: (cluster, bytes) =>
      overwrite(
        pathOf(cluster),
        changed(bytes, copy => copy.swap32()),
      ),
  },
  {
    name: 'missing',
    seen: /global\/pg_control does not exist/,
    inflict: cluster => rmSync(pathOf(cluster)),
  },
  {
    name: 'replaced by a pipe without a writer',
    seen: /not a regular file/,
    inflict: async cluster => {
      const pipe = `${pathOf(cluster)}.pipe`
      await runProgram({ program: 'mkfifo', args: [pipe], cwd: '/', user: cluster.user })
      renameSync(pipe, pathOf(cluster))
    },
  },
]

/** Under a name of its own first: a reader sees the one or the other. */
const putBack = (cluster: Cluster, bytes: Buffer): void => {
  cluster.place('global/pg_control.back', '')
  const aside = `${pathOf(cluster)}.back`
  overwrite(aside, bytes)
  chownSync(aside, cluster.user.uid, cluster.user.gid)
  renameSync(aside, pathOf(cluster))
}

const tornWrites = 300

export const controlFiles: readonly Scenario[] = [
  ...damages.map(({ name, seen, inflict }): Scenario => ({
    name: `control file ${name}, and whole again`,
    begin: arena => arena.primary(),
    run: async ({ cluster, answers, daemon, probeBlinded }) => {
      await answers('MASTER')
      const bytes = readFileSync(pathOf(cluster))
      const sighted = probeBlinded()
      await inflict(cluster, bytes)
      await daemon().said(seen)
      await answers('refused')
      putBack(cluster, bytes)
      sighted()
      await answers('MASTER')
    },
  })),
  {
    name: 'control file of a future version',
    begin: arena => arena.primary(),
    run: async ({ cluster, answers, daemon }) => {
      await answers('MASTER')
      const bytes = readFileSync(pathOf(cluster))
      const newer = changed(bytes, copy => {
        copy.writeUInt32LE(9900, commonOffsets.controlVersion)
        sign(copy, cluster)
      })
      overwrite(pathOf(cluster), newer)
      await daemon().said(/hazard="unknown control version"/)
      await answers('MASTER')
      putBack(cluster, bytes)
      await daemon().said(/hazard ended hazard="unknown control version"/)
      await answers('MASTER')
    },
  },
  {
    name: `control file rewritten ${tornWrites} times, half at a time`,
    begin: arena => arena.primary(),
    run: async ({ cluster, answers }) => {
      await answers('MASTER')
      const bytes = readFileSync(pathOf(cluster))
      for (let write = 0; write < tornWrites; write += 1) {
        const { modified } = commonOffsets
        bytes.writeBigInt64LE(bytes.readBigInt64LE(modified) + 1n, modified)
        sign(bytes, cluster)
        const half = modified + 8
        overwrite(pathOf(cluster), bytes.subarray(0, half), bytes.subarray(half))
        if (write % 10 === 0) await watched(5)
      }
      await answers('MASTER')
    },
  },
]
