/**
 * The text that Prometheus reads, version 0.0.4.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/. A family of series has one
 * HELP and one TYPE line before its samples, which stand together.
 */

export type Labels = Readonly<Record<string, string>>

/** A bigint is printed to the last digit; a reader makes 53 bits of it. */
export type Sample = { readonly labels?: Labels; readonly value: number | bigint }

export type Family = {
  readonly name: string
  readonly help: string
  readonly type: 'gauge' | 'counter'
  /** A family without any is left out. */
  readonly samples: readonly Sample[]
}

export type Histogram = {
  readonly name: string
  readonly help: string
  readonly type: 'histogram'
  /** How many values were no greater than each bound, in rising order. */
  readonly buckets: readonly { readonly bound: number; readonly count: number }[]
  readonly count: number
  readonly sum: number
}

export const prometheusType = 'text/plain; version=0.0.4; charset=utf-8'

export const printFamilies = (families: readonly (Family | Histogram)[]): string =>
  families.map(printFamily).join('')

const printFamily = (family: Family | Histogram): string => {
  const { name, help, type } = family
  const lines = type === 'histogram' ? histogramLines(family) : sampleLines(family)
  if (lines.length === 0) return ''
  return `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${type}\n${lines.join('')}`
}

const sampleLines = ({ name, samples }: Family): readonly string[] =>
  samples.map(({ labels = {}, value }) => sampleLine(name, labels, value))

const histogramLines = ({ name, buckets, count, sum }: Histogram): readonly string[] => [
  ...buckets.map(bucket =>
    sampleLine(`${name}_bucket`, { le: printValue(bucket.bound) }, bucket.count),
  ),
  sampleLine(`${name}_bucket`, { le: '+Inf' }, count),
  sampleLine(`${name}_sum`, {}, sum),
  sampleLine(`${name}_count`, {}, count),
]

const sampleLine = (name: string, labels: Labels, value: number | bigint): string => {
  const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`)
  return `${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${printValue(value)}\n`
}

const printValue = (value: number | bigint): string => {
  if (value === Infinity) return '+Inf'
  return value === -Infinity ? '-Inf' : String(value)
}

const escapeHelp = (text: string): string =>
  text.replaceAll('\\', String.raw`\\`).replaceAll('\n', String.raw`\n`)

const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', String.raw`\"`)
