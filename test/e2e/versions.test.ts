/**
 * The built program and control files of versions that it does not know: newer ones, those of
 * forks, and damaged ones.
 */
import { spawnSync } from 'node:child_process'
import t, { type Test } from 'tap'
import { wireWords } from '../../src/serve/role/reply.ts'
import { forgeControlFile, layoutOfVersion, layoutToCome } from '../harness/control-file-builder.ts'
import { daemonProgram, launchDaemon } from '../harness/daemon.ts'
import { startHttpDaemon } from '../harness/http-daemon.ts'
import { serverEnvironment } from '../harness/programs.ts'
import { placeControlFile, startStandIn } from '../harness/stand-in.ts'

const layout15 = layoutOfVersion('15')

const newer = forgeControlFile(layoutToCome)
/** Half of it is from before. */
const torn = newer.slice()
torn.set(forgeControlFile(layoutToCome, { modified: 1 }).subarray(0, 32))
/** One more word before the checksum, under the version of PostgreSQL. */
const ofFork = forgeControlFile({ ...layout15, checksumAt: layout15.checksumAt + 4 })
const ofForkVersion = forgeControlFile(layout15, { controlVersion: 1501 })
const damaged = forgeControlFile(layout15, { checksum: 1 })

const standIn = async (t: Test, bytes: Uint8Array): Promise<string> => {
  const { directory } = await startStandIn(t, 'primary')
  placeControlFile(directory, bytes)
  return directory
}

/** Through env: tap puts itself into the environment of whatever its tests start. */
const runStatus = (directory: string, ...args: readonly string[]) => {
  const variables = Object.entries(serverEnvironment()).map(([name, value]) => `${name}=${value}`)
  const command = [daemonProgram(), 'status', '-D', directory, ...args]
  const options = { cwd: '/', encoding: 'utf8' } as const
  const { status, stdout, stderr } = spawnSync('env', ['-i', ...variables, ...command], options)
  return { code: status, out: stdout, err: stderr }
}

t.test('a newer version is served for what has never moved', async t => {
  const directory = await standIn(t, newer)
  const text = runStatus(directory)
  t.equal(text.code, 0, text.err)
  t.match(text.out, /^primary: /)
  t.match(text.out, /^ {2}timeline +unknown$/m)
  t.match(text.out, /^warning: control version 2000 is newer than the newest known, /m)
  t.match(JSON.parse(runStatus(directory, '--json').out), {
    verdict: 'primary',
    hazards: [{ name: 'unknown control version' }],
    control_file: {
      found: 'present',
      state: 'in production',
      control_version: 2000,
      timeline: null,
    },
  })
  t.match(runStatus(directory, '--nagios'), { code: 1, out: /^PG_REPLSTATUS WARNING - primary: / })

  const { daemon, http } = await startHttpDaemon(t, directory)
  await daemon.answers(wireWords.primary)
  await daemon.said(/ warning: hazard hazard="unknown control version" /)
  const metrics = await (await fetch(`http://127.0.0.1:${http}/metrics`)).text()
  t.match(metrics, /^pg_replstatus_hazard\{hazard="unknown control version"\} 1$/m)
  t.notMatch(metrics, /^pg_replstatus_timeline /m)
  placeControlFile(directory, forgeControlFile(layoutToCome, { state: 'in crash recovery' }))
  await daemon.said(/ to=unavailable /)
  placeControlFile(directory, newer)
  await daemon.answers(wireWords.primary)
  t.equal(daemon.log().filter(line => / hazard /.test(line)).length, 1, 'told once')
})

t.test('a half-written one keeps no daemon from starting', async t => {
  const directory = await standIn(t, torn)
  t.match(runStatus(directory), { code: 2, out: /because .* no checksum is valid/ })
  const daemon = await launchDaemon({ dataDirectory: directory })
  t.teardown(daemon.stop)
  await daemon.said(/ to=unavailable .*no checksum is valid/)
  placeControlFile(directory, newer)
  await daemon.answers(wireWords.primary)
})

const forks = { 'the layout': ofFork, 'the version': ofForkVersion }

for (const [what, bytes] of Object.entries(forks)) {
  t.test(`${what} of a fork is refused, and what can read it is named`, async t => {
    const directory = await standIn(t, bytes)
    const { code, err } = runStatus(directory)
    t.equal(code, 3)
    t.match(err, /^hint: .*--control-check pg_controldata/m)
    t.notMatch(err, /its checksum is/)
    const daemon = await launchDaemon({ dataDirectory: directory })
    t.teardown(daemon.stop)
    t.match(await daemon.ended(), { code: 3 })
    t.match(daemon.log().join('\n'), /^hint: .*--control-check pg_controldata/m)
  })
}

t.test('damage stays damage', async t => {
  const directory = await standIn(t, damaged)
  t.match(runStatus(directory), { code: 2, out: /because .* its checksum is 0x00000001, / })
  t.match(JSON.parse(runStatus(directory, '--json').out), {
    rule: 'control file unreadable',
    settled: false,
    control_file: { found: 'invalid', error: 'bad checksum' },
  })
})
