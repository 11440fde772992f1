/** A real Prometheus that asks daemons, with the alert rules that we ship. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Test } from 'tap'
import { startInBackground } from './background.ts'
import { makeFolder } from './cluster-files.ts'
import { freePort } from './free-port.ts'
import { guardFolder } from './guard.ts'
import { repositoryRoot } from './repository.ts'
import { serverUser } from './server-user.ts'
import { until } from './until.ts'

/** Labels. */
export type Series = Readonly<Record<string, string>>

export type Prometheus = {
  /** Waits until an expression gives as many series as these, with these labels among theirs. */
  readonly tells: (expression: string, wanted: readonly Series[]) => Promise<void>
}

/** Files for HTTPS. */
export type ScrapeTls = { readonly ca: string; readonly cert?: string; readonly key?: string }

const tlsLines = ({ ca, cert, key }: ScrapeTls): string => `
    scheme: https
    tls_config:
      ca_file: ${JSON.stringify(ca)}
${cert === undefined ? '' : `      cert_file: ${JSON.stringify(cert)}`}
${key === undefined ? '' : `      key_file: ${JSON.stringify(key)}`}`

const configFor = (targets: readonly string[], tls: ScrapeTls | undefined): string => `
global:
  scrape_interval: 250ms
  scrape_timeout: 250ms
  evaluation_interval: 250ms
rule_files:
  - ${JSON.stringify(join(repositoryRoot(), 'fixtures/prometheus-rules.yml'))}
scrape_configs:
  - job_name: pg-replstatus${tls === undefined ? '' : tlsLines(tls)}
    static_configs:
      - targets: ${JSON.stringify(targets)}
`

/** Asks four times a second, for as long as the test runs. */
export const prometheusFor = async (
  t: Test,
  options: {
    readonly program: string
    readonly targets: readonly string[]
    readonly tls?: ScrapeTls
  },
): Promise<Prometheus> => {
  const user = serverUser()
  const folder = await makeFolder(user)
  t.teardown(guardFolder(folder).finish)
  const config = join(folder, 'prometheus.yml')
  writeFileSync(config, configFor(options.targets, options.tls))
  const address = `127.0.0.1:${await freePort()}`
  const args = [
    `--config.file=${config}`,
    `--storage.tsdb.path=${join(folder, 'data')}`,
    `--web.listen-address=${address}`,
  ]
  const prometheus = startInBackground(t, [options.program, ...args], { cwd: folder, user })

  const query = async (expression: string): Promise<readonly Series[]> => {
    const url = `http://${address}/api/v1/query?query=${encodeURIComponent(expression)}`
    const { data, error } = (await (await fetch(url)).json()) as {
      readonly data?: { readonly result: readonly { readonly metric: Series }[] }
      readonly error?: string
    }
    if (data === undefined) throw new Error(`${expression}: ${error}`)
    return data.result.map(({ metric }) => metric)
  }
  const isReady = async (): Promise<boolean> => {
    if (!prometheus.isRunning()) throw new Error(`prometheus did not start\n${prometheus.said()}`)
    return fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    )
  }
  await until(isReady, { what: 'prometheus to be ready' })
  return {
    tells: async (expression, wanted) => {
      const holds = async (): Promise<boolean> => {
        const found = await query(expression)
        const matches = wanted.every(series => found.some(one => contains(one, series)))
        return matches && found.length === wanted.length
      }
      await until(holds, { what: `${expression} to give ${JSON.stringify(wanted)}`, everyMs: 50 })
    },
  }
}

const contains = (series: Series, labels: Series): boolean =>
  Object.entries(labels).every(([label, value]) => series[label] === value)
