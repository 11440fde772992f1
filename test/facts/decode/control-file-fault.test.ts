import t from 'tap'
import {
  describeControlFileFault,
  type ControlFileFault,
} from '../../../src/facts/decode/control-file-fault.ts'

const fork = { controlVersion: 1501, catalogVersion: 202_209_061 }
const newer = { controlVersion: 2000, catalogVersion: 202_706_301 }

t.test('a fault is described by what was found and what was expected', t => {
  const cases: readonly (readonly [ControlFileFault, string])[] = [
    [
      { kind: 'too short', bytes: 36, wanted: 292 },
      'it is 36 bytes long, but must be at least 292',
    ],
    [{ kind: 'wrong byte order' }, 'its byte order is big-endian, but must be little-endian'],
    [
      { kind: 'bad checksum', stored: 0xbad, computed: 0xe306_9283 },
      'its checksum is 0x00000bad, but must be 0xe3069283',
    ],
    [
      { kind: 'no checksum', ...newer },
      'control version 2000 (catalog version 202706301) is unknown and no checksum is valid: damaged or half-written',
    ],
    [{ kind: 'unknown state', state: 9 }, 'its cluster state is 9, which is unknown'],
    [
      { kind: 'unknown layout', ...fork, wantedAt: 288, checksumsAt: [292] },
      'control version 1501 (catalog version 202209061) with an unknown layout: the checksum is at byte 292 instead of byte 288',
    ],
    [
      { kind: 'unknown version', ...fork, checksumsAt: [288] },
      'control version 1501 (catalog version 202209061) is unknown and not newer than the newest known, 1905: a fork, or older than PostgreSQL 9.4',
    ],
    [
      { kind: 'unknown version', ...newer, checksumsAt: [300, 404] },
      'control version 2000 (catalog version 202706301) is newer than the newest known, 1905, and its checksum may be at bytes 300 and 404',
    ],
    [
      { kind: 'unknown version', ...newer, checksumsAt: [300] },
      'control version 2000 (catalog version 202706301) is newer than the newest known, 1905, and other data follow its checksum at byte 300',
    ],
  ]
  for (const [broken, text] of cases) t.equal(describeControlFileFault(broken), text)
  t.end()
})
