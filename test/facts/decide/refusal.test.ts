import t from 'tap'
import type { ControlFileFault } from '../../../src/facts/decode/control-file-fault.ts'
import { refusalOf } from '../../../src/facts/decide/refusal.ts'
import { directory, noon, primaryEvidence } from '../../harness/evidence.ts'

const userName = (uid: number) => (uid === 101 ? 'postgres' : `user id ${uid}`)
const refused = (...args: Parameters<typeof primaryEvidence>) =>
  refusalOf(primaryEvidence(...args), userName)

t.test('a cluster that can be checked is not refused', async t => {
  t.equal(refused(), null)
})

t.test('a path that leads nowhere, or to no directory', async t => {
  t.match(refused({ directory: { kind: 'absent' } }), {
    kind: 'no such directory',
    message: 'data directory /pgdata does not exist',
  })
  t.match(refused({ directory: { kind: 'not a directory' } }), {
    kind: 'not a directory',
    message: '/pgdata is not a directory',
  })
})

t.test('a directory of another user names the user to run as', async t => {
  const of = (owner: number | null) =>
    refused({ directory: { kind: 'unreadable', code: 'EACCES', owner } })
  t.match(of(101), {
    kind: 'no permission',
    message: 'could not read data directory /pgdata: EACCES',
    hint: 'run as postgres, the user that runs the server',
  })
  t.match(of(null), {
    hint: 'a directory above it denies access to this user: see "namei -l /pgdata"',
  })
})

t.test('so does a directory in which only the files are closed to us', async t => {
  t.match(refused({ controlFile: { kind: 'unreadable', code: 'EACCES' } }), {
    kind: 'no permission',
    hint: 'run as postgres, the user that runs the server',
  })
  t.match(refused({ lockFile: { kind: 'unreadable', code: 'EACCES' } }), { kind: 'no permission' })
  t.equal(refused({ controlFile: { kind: 'unreadable', code: 'EIO' } }), null, 'a disk may recover')
})

t.test('a directory without any sign of a cluster', async t => {
  const bare = { directory: directory(null), lockFile: { kind: 'absent' } } as const
  t.match(refused({ ...bare, controlFile: { kind: 'absent' } }), { kind: 'not a data directory' })
  t.equal(refused(bare), null, 'a control file is a sign')
})

const controlFault = (fault: ControlFileFault) =>
  refused({ controlFile: { kind: 'invalid', fault: { source: 'native', fault }, modified: noon } })

t.test('the error of an unknown control file names what can read it', async t => {
  const versions = { controlVersion: 1501, catalogVersion: 202_209_061 }
  const kind = 'unsupported control file'
  const hint = /--control-check pg_controldata/
  t.match(controlFault({ kind: 'unknown version', ...versions, checksumsAt: [288] }), {
    kind,
    message: /^\/pgdata: .* 1501 /,
    hint,
  })
  t.match(
    controlFault({ kind: 'unknown layout', ...versions, wantedAt: 288, checksumsAt: [292] }),
    { kind, message: /byte 292/, hint },
  )
  t.match(controlFault({ kind: 'wrong byte order' }), { kind, hint: /another architecture/ })
})

t.test('damage may be mended, and a half-written file will be whole in a moment', async t => {
  const versions = { controlVersion: 2000, catalogVersion: 1 }
  t.equal(controlFault({ kind: 'too short', bytes: 3, wanted: 296 }), null)
  t.equal(controlFault({ kind: 'bad checksum', stored: 1, computed: 2 }), null)
  t.equal(controlFault({ kind: 'no checksum', ...versions }), null)
  t.equal(controlFault({ kind: 'unknown state', state: 9 }), null)
  const failed = { kind: 'program failed', message: 'no' } as const
  const fault = { source: 'pg_controldata', fault: failed } as const
  t.equal(refused({ controlFile: { kind: 'invalid', fault, modified: noon } }), null)
})
