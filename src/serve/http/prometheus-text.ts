/**
 * The text format of Prometheus, version 0.0.4.
 *
 * Source: https://prometheus.io/docs/instrumenting/exposition_formats/. Each family of series has
 * one HELP and one TYPE line, followed by all of its samples.
 */

import { visibleLines } from '../../facts/visible-text.ts'

export type Labels = Readonly<Record<string, string>>

/** A bigint is printed exactly, although readers convert it to 53 bits. */
export type Sample = { readonly labels?: Labels; readonly value: number | bigint }

export type Family = {
  readonly name: string
  readonly help: string
  readonly type: 'gauge' | 'counter'
  /** A family without samples is omitted. */
  readonly samples: readonly Sample[]
}

export type Histogram = {
  readonly name: string
  readonly help: string
  readonly type: 'histogram'
  /** The number of values up to each bound, in ascending order. */
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

/** The format escapes only these. Other unprintable characters are made visible before. */
const escapeHelp = (text: string): string =>
  visibleLines(text)
    .replaceAll('\\', String.raw`\\`)
    .replaceAll('\n', String.raw`\n`)

const escapeLabel = (text: string): string => escapeHelp(text).replaceAll('"', String.raw`\"`)
