/** The metrics of a running daemon, and the files made for them, judged by promtool. */
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { createCluster } from '../harness/cluster.ts'
import { startHttpDaemon } from '../harness/http-daemon.ts'
import { needProgram } from '../harness/needs.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { until } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const promtool = needProgram('promtool')
const rulesFile = join(repositoryRoot(), 'fixtures/prometheus-rules.yml')
const dashboardFile = join(repositoryRoot(), 'fixtures/grafana-dashboard.json')

const run = (args: readonly string[], input = '') => {
  const { status, stdout, stderr } = spawnSync(promtool.get(), args, { input, encoding: 'utf8' })
  return { status, said: `${stdout}${stderr}` }
}

/** As a daemon beside a server tells them. */
const scrape = async (port: number): Promise<string> =>
  (await fetch(`http://127.0.0.1:${port}/metrics`)).text()

const namesIn = (text: string): ReadonlySet<string> =>
  new Set(text.match(/\bpg_replstatus_[a-z_]+/g))

/** Prometheus scrapes it in tls.test.ts. */
const ofTls = ['pg_replstatus_http_certificate_expiry_time_seconds']
/** Prometheus scrapes what is drawn of these in prometheus.test.ts. */
const ofStandbys = ['replication', 'wal_receive_lsn_bytes', 'lag_bytes'].map(
  name => `pg_replstatus_${name}`,
)

t.test('promtool accepts the metrics', promtool.options, async t => {
  const primary = await createCluster({ major: 18 })
  t.teardown(primary.destroy)
  await primary.start()
  const { daemon, http } = await startHttpDaemon(t, primary.dataDirectory)
  await daemon.answers('MASTER')
  const serving = await scrape(http)
  t.strictSame(run(['check', 'metrics'], serving), { status: 0, said: '' })
  t.match(serving, /^pg_replstatus_role\{role="primary"\} 1$/m)
  t.match(serving, /^pg_replstatus_timeline 1$/m)
  t.match(serving, /^pg_replstatus_cluster_info\{.*system_identifier="\d+",version="18"\} 1$/m)

  await primary.stop()
  const why = /^pg_replstatus_unavailable_reason\{reason="no lock file"\} 1$/m
  await until(async () => why.test(await scrape(http)), { what: 'the reason' })
  const stopped = await scrape(http)
  t.strictSame(run(['check', 'metrics'], stopped), { status: 0, said: '' })
  t.match(stopped, /^pg_replstatus_role_changes_total 1$/m)

  await t.test('and the files ask for nothing else', async t => {
    const told = new Set([...namesIn(serving), ...ofStandbys, ...ofTls])
    for (const file of [rulesFile, dashboardFile]) {
      const asked = namesIn(readFileSync(file, 'utf8'))
      t.ok(asked.size > 0, file)
      for (const name of asked) t.ok(told.has(name), name)
    }
  })

  await t.test('their page names them all', async t => {
    const page = namesIn(readFileSync(join(repositoryRoot(), 'fixtures/docs/metrics.md'), 'utf8'))
    const families = serving.match(/(?<=^# TYPE )\S+/gm) ?? []
    t.strictSame(page, new Set([...families, ...ofStandbys, ...ofTls]))
  })
})

t.test('promtool accepts the alert rules', promtool.options, async t => {
  t.match(run(['check', 'rules', rulesFile]), { status: 0, said: /SUCCESS: \d+ rules found/ })
})

t.test('the dashboard asks for what Grafana can draw', async t => {
  const { panels } = JSON.parse(readFileSync(dashboardFile, 'utf8')) as {
    panels: readonly { type: string; targets: readonly { expr: string }[] }[]
  }
  t.ok(panels.length >= 4)
  for (const { type, targets } of panels) {
    t.match(type, /^(?:state-timeline|timeseries)$/)
    t.ok(targets.length > 0, type)
    for (const { expr } of targets) t.match(expr, /pg_replstatus_/)
  }
})
