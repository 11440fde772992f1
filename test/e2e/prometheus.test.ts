/** The alerts and the dashboard, on what a real Prometheus has gathered from real daemons. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeFolder } from '../harness/cluster-files.ts'
import { type Cluster } from '../harness/cluster.ts'
import { guardFolder } from '../harness/guard.ts'
import { startHttpDaemon } from '../harness/http-daemon.ts'
import { needProgram } from '../harness/needs.ts'
import { startPair } from '../harness/pair.ts'
import { prometheusFor, type Series } from '../harness/prometheus.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { serverUser } from '../harness/server-user.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const program = needProgram('prometheus')
const promtool = needProgram('promtool')
const rulesFile = join(repositoryRoot(), 'fixtures/prometheus-rules.yml')
const dashboardFile = join(repositoryRoot(), 'fixtures/grafana-dashboard.json')

/** Resolves with where its metrics are. */
const watch = async (t: Test, { dataDirectory }: Cluster, word: string): Promise<string> => {
  const { daemon, http } = await startHttpDaemon(t, dataDirectory)
  await daemon.answers(word)
  return `127.0.0.1:${http}`
}

/** What the dashboard asks, with its variables as Grafana fills them in. */
const dashboardQueries = (): ReadonlyMap<string, readonly string[]> => {
  const { panels } = JSON.parse(readFileSync(dashboardFile, 'utf8')) as {
    panels: readonly { title: string; targets: readonly { expr: string }[] }[]
  }
  const filled = (expr: string): string =>
    expr.replaceAll('$instance', '.+').replaceAll('$__rate_interval', '10s')
  return new Map(
    panels.map(({ title, targets }) => [title, targets.map(({ expr }) => filled(expr))]),
  )
}

t.test('what the dashboard draws and the alerts see', program.options, async t => {
  const { primary, standby } = await startPair(t, 18)
  const one = await watch(t, primary, 'MASTER')
  const two = await watch(t, standby, 'STANDBY')
  const prometheus = await prometheusFor(t, { program: program.get(), targets: [one, two] })
  const panels = dashboardQueries()
  const panel = async (title: string, wanted: readonly Series[]): Promise<void> => {
    const queries = panels.get(title) ?? []
    t.ok(queries.length > 0, title)
    for (const query of queries) await prometheus.tells(query, wanted)
  }
  /** Those that hold, whether they have held for long enough to be sent or not. */
  const alerts = async (...names: readonly string[]): Promise<void> => {
    await prometheus.tells(
      'count by (alertname) (ALERTS)',
      names.map(alertname => ({ alertname })),
    )
    t.pass(`alerts: ${names.join()}`)
  }
  await panel('Role', [
    { instance: one, role: 'primary' },
    { instance: two, role: 'standby' },
  ])
  await panel('Look duration', [{ instance: one }, { instance: two }])
  const answers = ['primary', 'standby', 'unavailable', 'silence']
  await panel(
    'Answers per second',
    [one, two].flatMap(instance => answers.map(answer => ({ instance, answer }))),
  )
  await panel('Why unavailable', [])
  await panel('Hazards of the next start', [])
  await alerts()

  primary.place('standby.signal', '')
  await panel('Hazards of the next start', [
    { instance: one, hazard: 'primary with standby request' },
  ])
  await alerts('PostgresRestartHazard')

  await standby.promote('pg_ctl')
  await alerts('PostgresRestartHazard', 'PostgresTwoPrimaries')

  await primary.stop()
  await panel('Why unavailable', [{ instance: one, reason: 'no lock file' }])
  await alerts('PostgresUnavailable')

  await standby.stop()
  await panel('Role', [
    { instance: one, role: 'unavailable' },
    { instance: two, role: 'unavailable' },
  ])
  await alerts('PostgresUnavailable', 'PostgresNoPrimary')
})

/**
 * Of two servers of one cluster, each asked every 15 s, 1 is a primary. `fires`: what the alerts
 * that are sent say, at each of these seconds.
 */
const testAlerts = async (
  t: Test,
  wanted: {
    readonly primaries: readonly [string, string]
    readonly fires: Readonly<Record<number, readonly string[]>>
  },
): Promise<void> => {
  const folder = await makeFolder(serverUser())
  t.teardown(guardFolder(folder).finish)
  const series = wanted.primaries.flatMap((values, index) => [
    { series: `pg_replstatus_role{instance="${index}",role="primary"}`, values },
    {
      series: `pg_replstatus_cluster_info{instance="${index}",system_identifier="7"}`,
      values: values.replaceAll('0', '1'),
    },
  ])
  const alerts = Object.entries(wanted.fires).flatMap(([second, fires]) =>
    Object.entries(pages).map(([alertname, summary]) => ({
      alertname,
      eval_time: `${second}s`,
      exp_alerts: fires.includes(summary)
        ? [{ exp_labels: page, exp_annotations: { summary } }]
        : [],
    })),
  )
  // Every JSON text is a YAML text too.
  const file = join(folder, 'test.yml')
  const tests = [{ interval: '15s', input_series: series, alert_rule_test: alerts }]
  writeFileSync(
    file,
    JSON.stringify({ rule_files: [rulesFile], evaluation_interval: '15s', tests }),
  )
  const args = ['test', 'rules', file]
  const { status, stdout, stderr } = spawnSync(promtool.get(), args, { encoding: 'utf8' })
  t.equal(status, 0, `${stdout}${stderr}`)
}

const page = { system_identifier: '7', severity: 'critical' }
const nobody = 'Nobody is primary of the cluster 7'
const two = 'Two primaries of the cluster 7'
const pages = { PostgresNoPrimary: nobody, PostgresTwoPrimaries: two }

t.test('two primaries page, and so does none', promtool.options, async t => {
  const second = '0 0 0 0 1 1 1 1 1'
  await testAlerts(t, { primaries: ['1x8', second], fires: { 75: [], 90: [two] } })
  await testAlerts(t, { primaries: ['1 1 1 1 0x4', '0x8'], fires: { 75: [], 90: [nobody] } })
})

t.test('a switchover pages nobody, however it is seen', promtool.options, async t => {
  const quiet = { 75: [], 90: [], 105: [], 120: [] }
  await testAlerts(t, { primaries: ['1 1 1 1 1 1 0 0 0', '0 0 0 0 0 1 1 1 1'], fires: quiet })
  await testAlerts(t, { primaries: ['1 1 1 1 1 0 0 0 0', '0 0 0 0 0 0 1 1 1'], fires: quiet })
})
