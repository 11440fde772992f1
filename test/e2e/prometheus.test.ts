/** The alerts and the dashboard, on what a real Prometheus has gathered from real daemons. */
import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeFolder } from '../harness/cluster-files.ts'
import { type Cluster } from '../harness/cluster.ts'
import { guardFolder } from '../harness/guard.ts'
import { startDaemon } from '../harness/daemon.ts'
import { freePort } from '../harness/free-port.ts'
import { startHttpDaemon } from '../harness/http-daemon.ts'
import { needProgram } from '../harness/needs.ts'
import { startPair } from '../harness/pair.ts'
import { prometheusFor, type Prometheus, type Series } from '../harness/prometheus.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { serverUser } from '../harness/server-user.ts'

// The first run fetches the server.
t.setTimeout(300_000)
// Each waits for its own servers most of the time.
t.jobs = 2

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

const ask = (t: Test, prometheus: Prometheus) => {
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
  return { panel, alerts }
}

t.test('what the dashboard draws and the alerts see', program.options, async t => {
  const { primary, standby } = await startPair(t, 18)
  const one = await watch(t, primary, 'MASTER')
  const two = await watch(t, standby, 'STANDBY')
  const prometheus = await prometheusFor(t, { program: program.get(), targets: [one, two] })
  const { panel, alerts } = ask(t, prometheus)
  await panel('Role', [
    { instance: one, role: 'primary' },
    { instance: two, role: 'standby' },
  ])
  await panel('Look duration', [{ instance: one }, { instance: two }])
  const answers = ['primary', 'standby', 'unavailable', 'none']
  await panel(
    'Answers per second',
    [one, two].flatMap(instance => answers.map(answer => ({ instance, answer }))),
  )
  await panel('Why unavailable', [])
  await panel('Hazards', [])
  await alerts()

  primary.place('standby.signal', '')
  await panel('Hazards', [{ instance: one, hazard: 'primary with standby request' }])
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

t.test('and what they see if the daemons ask each other', program.options, async t => {
  const { primary, standby } = await startPair(t, 18)
  const [one, two, warner] = [await freePort(), await freePort(), await freePort()].map(
    port => `127.0.0.1:${port}`,
  ) as [string, string, string]
  const watchFrom = async (http: string, { dataDirectory }: Cluster, ...more: string[]) => {
    const daemon = await startDaemon({ dataDirectory, args: ['--http', http, ...more] })
    t.teardown(daemon.stop)
    return daemon
  }
  const daemons = [
    await watchFrom(two, standby, '--peer', one),
    await watchFrom(one, primary, '--peer', two),
    await watchFrom(warner, primary, '--peer', two, '--when-superseded', 'warn'),
  ]
  for (const daemon of daemons) await daemon.said(/peer peer=\S+ role=(?:primary|standby)/)
  const targets = [one, two, warner]
  const prometheus = await prometheusFor(t, { program: program.get(), targets })
  const { panel, alerts } = ask(t, prometheus)
  const each = targets.map(instance => ({ instance }))
  await panel('WAL position', each)
  await panel('Lag of standbys', [{ instance: two }])

  t.comment('a promotion while the old primary goes on')
  await standby.promote('pg_ctl')
  await panel('Why unavailable', [{ instance: one, reason: 'superseded' }])
  await panel('Hazards', [{ instance: warner, hazard: 'superseded' }])
  await panel('Lag of standbys', [])
  await panel('WAL position', each)
  await alerts('PostgresSuperseded', 'PostgresUnavailable', 'PostgresTwoPrimaries')
})

/** Writes the test of the rules, and lets promtool run it. */
const runTest = async (t: Test, test: Readonly<Record<string, unknown>>): Promise<void> => {
  const folder = await makeFolder(serverUser())
  t.teardown(guardFolder(folder).finish)
  // Every JSON text is a YAML text too.
  const file = join(folder, 'test.yml')
  const tests = [{ interval: '15s', ...test }]
  writeFileSync(
    file,
    JSON.stringify({ rule_files: [rulesFile], evaluation_interval: '15s', tests }),
  )
  const args = ['test', 'rules', file]
  const { status, stdout, stderr } = spawnSync(promtool.get(), args, { encoding: 'utf8' })
  t.equal(status, 0, `${stdout}${stderr}`)
}

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
  await runTest(t, { input_series: series, alert_rule_test: alerts })
}

const page = { system_identifier: '7', severity: 'critical' }
const nobody = 'No primary in the cluster 7'
const two = 'Two primaries in the cluster 7'
const pages = { PostgresNoPrimary: nobody, PostgresTwoPrimaries: two }

t.test('two primaries fire an alert, and so does none', promtool.options, async t => {
  const second = '0 0 0 0 1 1 1 1 1'
  await testAlerts(t, { primaries: ['1x8', second], fires: { 75: [], 90: [two] } })
  await testAlerts(t, { primaries: ['1 1 1 1 0x4', '0x8'], fires: { 75: [], 90: [nobody] } })
})

t.test('a switchover fires no alert, whenever it is scraped', promtool.options, async t => {
  const quiet = { 75: [], 90: [], 105: [], 120: [] }
  await testAlerts(t, { primaries: ['1 1 1 1 1 1 0 0 0', '0 0 0 0 0 1 1 1 1'], fires: quiet })
  await testAlerts(t, { primaries: ['1 1 1 1 1 0 0 0 0', '0 0 0 0 0 0 1 1 1'], fires: quiet })
})

/** `values`: of series, asked every 15 s. `sent`: the alerts that fire at each of these seconds. */
const testSent = async (
  t: Test,
  values: Readonly<Record<string, string>>,
  sent: Readonly<Record<number, readonly Series[]>>,
): Promise<void> => {
  const labelsOf = (labels: Series): string =>
    Object.entries(labels)
      .map(([label, value]) => `${label}=${JSON.stringify(value)}`)
      .join()
  await runTest(t, {
    input_series: Object.entries(values).map(([series, text]) => ({
      series: `pg_replstatus_${series}`,
      values: text,
    })),
    promql_expr_test: Object.entries(sent).map(([second, alerts]) => ({
      expr: 'count by (alertname, instance) (ALERTS{alertstate="firing"})',
      eval_time: `${second}s`,
      exp_samples: alerts.map(labels => ({ labels: `{${labelsOf(labels)}}`, value: 1 })),
    })),
  })
}

t.test('each hazard has one alert', promtool.options, async t => {
  const alertOf = {
    'primary with standby request': 'PostgresRestartHazard',
    'next start fails': 'PostgresRestartHazard',
    'unknown control version': 'PgReplstatusOutdated',
    'another primary': 'PostgresAnotherPrimary',
    superseded: 'PostgresSuperseded',
  }
  for (const [hazard, alertname] of Object.entries(alertOf)) {
    const values = { [`hazard{instance="s1",hazard="${hazard}"}`]: '1x40' }
    await testSent(t, values, { 600: [{ alertname, instance: 's1' }] })
  }
})

t.test('an old primary that came back fires an alert, and so does another primary', async t => {
  const alertOf = {
    'unavailable_reason{instance="s1",reason="superseded"}': 'PostgresSuperseded',
    'hazard{instance="s1",hazard="superseded"}': 'PostgresSuperseded',
    'hazard{instance="s1",hazard="another primary"}': 'PostgresAnotherPrimary',
  }
  for (const [series, alertname] of Object.entries(alertOf)) {
    await t.test(series, promtool.options, async t => {
      const page = { alertname, instance: 's1' }
      await testSent(t, { [series]: '0 0 1x20 0x20' }, { 45: [], 60: [page], 330: [page], 345: [] })
      await testSent(t, { [series]: '0 0 1 1 0x20' }, { 45: [], 60: [], 75: [] })
    })
  }
  await t.test('a primary that asks its peers does not', promtool.options, async t => {
    const asking = 'unavailable_reason{instance="s1",reason="asking peers"}'
    await testSent(t, { [asking]: '1x40' }, { 600: [] })
  })
})

t.test('a lag that is large for some minutes is sent', promtool.options, async t => {
  const warning = { alertname: 'PostgresStandbyLag', instance: 's2' }
  const lag = async (values: string, sent: Parameters<typeof testSent>[2]): Promise<void> =>
    testSent(t, { 'lag_bytes{instance="s2"}': values }, sent)
  await lag('1073741824x40', { 300: [], 600: [] })
  await lag('1073741825x40', { 285: [], 300: [warning], 600: [warning] })
  t.comment('not after a moment without it')
  await lag('2000000000x10 0 2000000000x20', { 300: [], 465: [], 480: [warning] })
  t.comment('while it is unknown, nothing is known to be wrong')
  await lag('2000000000x25 stale', { 300: [warning], 375: [warning], 390: [], 900: [] })
  await lag('2000000000x10 stale 2000000000x30', { 300: [], 465: [], 480: [warning] })
})
