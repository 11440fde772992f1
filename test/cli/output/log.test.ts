import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import { createLog, isJournal, journalPrefix } from '../../../src/cli/output/log.ts'
import { logLevels, type LogLevel } from '../../../src/cli/output/log-entries.ts'
import type { Event } from '../../../src/facts/report/event.ts'
import type { Pid, TimelineId, UnixMs } from '../../../src/facts/units.ts'
import { decide, type Verdict } from '../../../src/facts/decide/verdict.ts'
import { noon, primaryEvidence, standbyEvidence } from '../../harness/evidence.ts'
import { anyText, assertPrintable } from '../../harness/foreign-text.ts'

const setUp = (options: Partial<Parameters<typeof createLog>[0]> = {}) => {
  const lines: string[] = []
  const report = createLog({
    level: 'debug',
    format: 'text',
    journal: false,
    now: () => noon,
    write: line => {
      lines.push(line)
    },
    ...options,
  })
  return { lines, report }
}
const lineOf = (event: Event, options: Parameters<typeof setUp>[0] = {}): string => {
  const { lines, report } = setUp(options)
  report(event)
  return lines.join('')
}

const primary = decide(primaryEvidence())
const standby = decide(standbyEvidence())
const down = decide(primaryEvidence({ lockFile: { kind: 'absent' } }))
const hazard = { name: 'next start fails', warning: 'the next start will fail' } as const
const changed = (
  from: Verdict | null,
  to: Verdict,
): Extract<Event, { kind: 'verdict changed' }> => ({
  kind: 'verdict changed',
  from,
  to,
  postmaster: 4711 as Pid,
  timeline: 3 as TimelineId,
})

t.test('each event is one line, with its level', async t => {
  const expected: readonly (readonly [Event, string])[] = [
    [
      { kind: 'started', version: '0.1.0', directory: '/data', pid: 42 },
      'notice: started version=0.1.0 pgdata=/data pid=42',
    ],
    [
      { kind: 'privileges dropped', user: 101, group: 104 },
      'notice: privileges dropped uid=101 gid=104',
    ],
    [
      changed(null, primary),
      'notice: role changed from=unknown to=primary ' +
        'because="postmaster pid 4711 is ready and the cluster state is in production" ' +
        'pid=4711 timeline=3',
    ],
    [
      { kind: 'hazard began', hazard },
      'warning: hazard hazard="next start fails" warning="the next start will fail"',
    ],
    [{ kind: 'hazard ended', hazard }, 'notice: hazard ended hazard="next start fails"'],
    [
      { kind: 'watching degraded', because: 'ENOSPC', pollMs: 20 },
      'warning: polling because=ENOSPC every_ms=20',
    ],
    [{ kind: 'maintenance toggled', on: true }, 'notice: maintenance by=SIGUSR2 state=on'],
    [{ kind: 'maintenance toggled', on: false }, 'notice: maintenance by=SIGUSR2 state=off'],
    [
      { kind: 'maintenance open', path: '/tmp/m', because: '/tmp is writable by all users' },
      'warning: insecure maintenance file path=/tmp/m because="/tmp is writable by all users"',
    ],
    [{ kind: 'watching restored' }, 'notice: polling ended'],
    [
      { kind: 'listening', address: '::', port: 5400, purpose: 'role' },
      'notice: listening address=:: port=5400 for=role',
    ],
    [
      { kind: 'listening', address: '/run/x.sock', port: 0, purpose: 'http' },
      'notice: listening address=/run/x.sock for=http',
    ],
    [
      {
        kind: 'connection limit reached',
        port: 5400,
        connectionsMax: 4096,
        from: '192.0.2.1',
        held: 4000,
      },
      'warning: connection limit reached port=5400 limit=4096 most_from=192.0.2.1 connections=4000',
    ],
    [
      {
        kind: 'connection limits lowered',
        limit: 1024,
        reserved: 130,
        requested: 4608,
        connections: 893,
      },
      'warning: connection limits lowered open_files=1024 reserved=130 requested=4608 connections=893',
    ],
    [
      { kind: 'peer changed', peer: 's2:8008', role: 'standby', timeline: 2 as TimelineId },
      'notice: peer peer=s2:8008 role=standby timeline=2',
    ],
    [
      { kind: 'peer changed', peer: 's2:8008', role: 'unavailable', timeline: null },
      'notice: peer peer=s2:8008 role=unavailable',
    ],
    [
      { kind: 'peer check failed', peer: 's2:8008', because: 'no answer within 1000 ms' },
      'warning: peer check failed peer=s2:8008 because="no answer within 1000 ms"',
    ],
    [
      { kind: 'peer is this server', peer: 's1:8008' },
      'notice: peer ignored peer=s1:8008 because="it is this server"',
    ],
    [
      { kind: 'port blocked', because: 'port 5400 is in use' },
      'error: port blocked because="port 5400 is in use"',
    ],
    [
      { kind: 'connections lost', port: 5400, because: 'more than 4096 at once' },
      'warning: connections lost port=5400 because="more than 4096 at once"',
    ],
    [{ kind: 'command output', line: 'done it' }, 'info: on-change output="done it"'],
    [
      { kind: 'command failed', because: 'exit code 3' },
      'warning: on-change failed because="exit code 3"',
    ],
    [
      { kind: 'connections refused', port: 5400, from: '::ffff:192.0.2.1', refused: 3 },
      'warning: connections refused port=5400 from=::ffff:192.0.2.1 refused=3',
    ],
    [
      { kind: 'handshake failed', port: 8008, from: '192.0.2.1', because: 'http request' },
      'info: TLS handshake failed port=8008 from=192.0.2.1 because="http request"',
    ],
    [
      { kind: 'certificate taken', file: '/x.crt', expiresAt: 1_800_000_000_000 as UnixMs },
      'notice: certificate file=/x.crt expires=2027-01-15T08:00:00.000Z',
    ],
    [
      { kind: 'certificate doubtful', because: 'it expires', hint: 'renew' },
      'warning: certificate because="it expires" hint=renew',
    ],
    [
      { kind: 'certificate refused', because: 'it is over', hint: 'renew' },
      'error: certificate refused because="it is over" hint=renew',
    ],
    [
      { kind: 'reloaded', started: 1, changed: 2, stopped: 3, unchanged: 4 },
      'notice: reloaded started=1 changed=2 stopped=3 unchanged=4',
    ],
    [
      { kind: 'reload refused', because: 'x:1: no', hint: 'try' },
      'error: reload refused because="x:1: no" hint=try',
    ],
    [
      { kind: 'reload needless' },
      'notice: nothing to reload because="neither --config nor --http-cert is set"',
    ],
    [
      { kind: 'cluster failed', served: 'as before', because: 'no port', hint: 'wait' },
      'error: cluster failed served="as before" because="no port" hint=wait',
    ],
    [{ kind: 'stopping', signal: 'SIGTERM' }, 'notice: stopping signal=SIGTERM'],
    [{ kind: 'stopped' }, 'notice: stopped'],
  ]
  for (const [event, line] of expected) {
    t.equal(lineOf(event), `2026-01-01T12:00:00.000Z ${line}\n`)
  }
})

t.test('a lost role is a warning, a new one a notice, a new reason mere information', async t => {
  t.match(lineOf(changed(standby, primary)), / notice: role changed from=standby to=primary /)
  t.match(lineOf(changed(primary, down)), / warning: role changed from=primary to=unavailable /)
  t.match(lineOf(changed(null, down)), / warning: role changed from=unknown to=unavailable /)
  t.match(lineOf(changed(primary, primary)), / info: reason changed role=primary /)
  t.match(lineOf(changed(down, down)), / info: reason changed /)
})

t.test('a change of the past is marked as such, with its own time', async t => {
  const recorded = (from: Verdict | null, to: Verdict): Event => ({
    ...changed(from, to),
    kind: 'change recorded',
    at: (noon - 1000) as UnixMs,
  })
  t.match(
    lineOf(recorded(standby, primary)),
    /^2026-01-01T12:00:00.000Z notice: earlier change at=2026-01-01T11:59:59.000Z from=standby to=primary because=/,
  )
  t.match(lineOf(recorded(null, down)), / notice: earlier change .* from=unknown to=unavailable /)
})

t.test('what is not known is left out of a line, and null in JSON', async t => {
  const event: Event = {
    kind: 'verdict changed',
    from: primary,
    to: down,
    postmaster: null,
    timeline: null,
  }
  t.match(lineOf(event), /no server is running"\n$/)
  t.match(JSON.parse(lineOf(event, { format: 'json' })), { pid: null, timeline: null })
})

t.test('no value can break out of its line', async t => {
  const directory = '/data\n2026 error: forged pid="1"'
  const line = lineOf({ kind: 'started', version: '0.1.0', directory, pid: 42 })
  t.equal(line.indexOf('\n'), line.length - 1)
  t.match(line, 'pgdata="/data\\n2026 error: forged pid=\\"1\\""')
  const erasing = lineOf({ kind: 'port blocked', because: 'in use\x9b2J' })
  t.match(erasing, 'because="in use\\u009b2J"', 'nor do anything to a terminal')
})

t.test('JSON has the time, the level and the event in every line', async t => {
  const line = lineOf(
    { kind: 'listening', address: '::', port: 5400, purpose: 'role' },
    { format: 'json' },
  )
  t.match(line, /^\{.*\}\n$/)
  t.strictSame(JSON.parse(line), {
    time: '2026-01-01T12:00:00.000Z',
    level: 'notice',
    event: 'listening',
    address: '::',
    port: 5400,
    for: 'role',
  })
})

t.test('for journald the level is a number in front, and the time is its own', async t => {
  const journal = true
  t.equal(lineOf({ kind: 'stopped' }, { journal }), '<5>stopped\n')
  t.match(lineOf({ kind: 'port blocked', because: 'x' }, { journal }), /^<3>port blocked /)
  t.match(lineOf({ kind: 'stopped' }, { journal, format: 'json' }), /^<5>\{"time":.*\}\n$/)
  t.strictSame(logLevels.map(journalPrefix), ['<3>', '<4>', '<5>', '<6>', '<7>'])
})

t.test('only what is important enough is written', async t => {
  const events: readonly Event[] = [
    { kind: 'port blocked', because: 'in use' },
    { kind: 'hazard began', hazard },
    { kind: 'stopped' },
    changed(primary, primary),
  ]
  const written = (level: LogLevel): number => {
    const { lines, report } = setUp({ level })
    for (const event of events) report(event)
    return lines.length
  }
  t.strictSame(logLevels.map(written), [1, 2, 3, 4, 4])
})

t.test('sockets of systemd are named, and what refuse means there', async t => {
  t.match(
    lineOf({ kind: 'sockets passed', count: 1, closesInstead: true }),
    'sockets passed count=1 when_unavailable="close, as systemd keeps the port open"\n',
  )
  t.match(
    lineOf({ kind: 'sockets passed', count: 2, closesInstead: false }),
    'sockets passed count=2\n',
  )
})

t.test('a failed notification is a detail, except that of readiness', async t => {
  const { lines, report } = setUp({ level: 'debug' })
  report({ kind: 'notify failed', because: 'no such socket', awaited: false })
  report({ kind: 'notify failed', because: 'no such socket', awaited: true })
  t.match(lines, [
    /debug: notify failed because="no such socket"\n/,
    /warning: notify failed because="no such socket" consequence="systemd terminates .* TimeoutStartSec/,
  ])
})

t.test('whatever others write, an event is one line that does nothing to a terminal', async t => {
  const property = fc.property(anyText, anyText, fc.boolean(), (text, cluster, journal) => {
    const verdict: Verdict = { ...down, because: text }
    const events: readonly Event[] = [
      { kind: 'started', version: '0.1.0', directory: text, pid: 42 },
      changed(primary, verdict),
      { kind: 'command output', line: text },
      { kind: 'reload refused', because: text, hint: text },
    ]
    for (const event of events) {
      const [words, json] = (['text', 'json'] as const).map(format => {
        const { lines, report } = setUp({ format, journal })
        report(event, cluster)
        assert.equal(lines.length, 1)
        assert.match(lines.join(''), /^[^\n]+\n$/)
        assertPrintable(lines.join(''))
        return lines.join('')
      })
      assert.match(words ?? '', / cluster=\S/)
      const fields = JSON.parse((json ?? '').replace(/^<\d>/, '')) as Record<string, unknown>
      assert.equal(fields['cluster'], cluster, 'and nothing of it is lost')
      assert.ok(Object.values(fields).includes(text))
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 300 }))
})

t.test('where there are several clusters each line names its own', async t => {
  const { lines, report } = setUp()
  report({ kind: 'stopped' }, '16-main')
  report({ kind: 'stopped' }, null)
  t.match(lines, [/ notice: stopped cluster=16-main\n$/, / notice: stopped\n$/])
  const json = setUp({ format: 'json' })
  json.report({ kind: 'stopping', signal: 'SIGTERM' }, 'a')
  json.report({ kind: 'stopped' })
  t.strictSame(
    json.lines.map(line => Object.keys(JSON.parse(line) as object)),
    [
      ['time', 'level', 'event', 'cluster', 'signal'],
      ['time', 'level', 'event'],
    ],
  )
})

const stream = { dev: 9, ino: 3141 }

t.test('the very stream that systemd named leads to the journal', async t => {
  t.equal(isJournal(stream, '9:3141'), true)
})

t.test('a name inherited by a child whose output leads elsewhere does not', async t => {
  t.equal(isJournal(stream, '9:31415'), false)
  t.equal(isJournal(stream, '8:3141'), false)
})

t.test('without systemd there is no name', async t => {
  t.equal(isJournal(stream, undefined), false)
  t.equal(isJournal(stream, ''), false)
})
