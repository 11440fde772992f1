/**
 * What PostgreSQL's own pg_controldata prints, decoded.
 *
 * Source: src/bin/pg_controldata/pg_controldata.c, 9.4 to 19, run with LC_ALL=C and TZ=UTC. It
 * prints its report and exits with 0 also when the checksum is wrong, after a warning that goes to
 * standard output (seen in 15) or to standard error (18): a report is to be trusted only together
 * with what came on standard error, so put that before it.
 */
import { clusterStates, type ClusterState, type KnownControlFile } from './control-file.ts'
import { plainText, quoteText } from '../visible-text.ts'
import { fact, fault, type Outcome } from '../outcome.ts'
import { parseLsn, type Lsn, type SystemIdentifier } from '../units.ts'
import type { TimelineId, UnixSeconds } from '../units.ts'

export type ControlDataFault =
  /** The program does not trust its own report: bad checksum, byte order or segment size. */
  | { readonly kind: 'warning'; readonly message: string }
  | { readonly kind: 'missing line'; readonly label: string }
  /** `found` is cut to 40 characters. */
  | {
      readonly kind: 'bad line'
      readonly label: string
      readonly found: string
      readonly wanted: string
    }

const foundLengthMax = 40

export const decodeControlDataReport = (
  text: string,
): Outcome<KnownControlFile, ControlDataFault> => {
  const warning = /warning: (.+)/i.exec(text)?.[1]
  if (warning !== undefined) return fault({ kind: 'warning', message: warning })
  const values = new Map(text.split('\n').map(splitLine))
  const decoded: { [Name in string]: unknown } = {}
  for (const [name, { labels, wanted, parse }] of Object.entries(reportLines)) {
    const label = labels.find(spelling => values.has(spelling)) ?? labels[0]
    const found = values.get(label)
    if (found === undefined) return fault({ kind: 'missing line', label })
    const value = parse(found)
    if (value === null) {
      return fault({ kind: 'bad line', label, found: found.slice(0, foundLengthMax), wanted })
    }
    decoded[name] = value
  }
  // The compiler has seen to it that the table has a line for each field, of its type.
  return fact(decoded as KnownControlFile)
}

/** `Database cluster state:               in production`; no label holds a colon. */
const splitLine = (line: string): readonly [label: string, value: string] => {
  const [label = ''] = line.split(':', 1)
  return [label, line.slice(label.length + 1).trim()]
}

const parseNumber = (value: string): number | null =>
  /^\d{1,10}$/.test(value) ? Number(value) : null

const parseTimeline = (value: string): TimelineId | null => parseNumber(value) as TimelineId | null

const parseSystemIdentifier = (value: string): SystemIdentifier | null =>
  /^\d{1,20}$/.test(value) ? (BigInt(value) as SystemIdentifier) : null

const parseState = (value: string): ClusterState | null =>
  clusterStates.find(state => state === value) ?? null

/** strftime's %c in the C locale: `Mon Nov  3 16:12:55 2026`. */
const timeForm = /^\w{3} (\w{3}) ([ \d]\d) (\d\d:\d\d:\d\d) (\d{4})$/

const parseTime = (value: string): UnixSeconds | null => {
  const [, month, day, clock, year] = timeForm.exec(value) ?? []
  const monthIndex = months.indexOf(month ?? '')
  if (day === undefined || monthIndex < 0) return null
  const date = [year, twoDigits(monthIndex + 1), twoDigits(day.trim())].join('-')
  const milliseconds = Date.parse(`${date}T${clock}Z`)
  return Number.isNaN(milliseconds) ? null : ((milliseconds / 1000) as UnixSeconds)
}

const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const twoDigits = (value: number | string): string => String(value).padStart(2, '0')

/** How a value is printed, and what to call it when it is not. */
type Form<Value> = {
  readonly wanted: string
  readonly parse: (value: string) => Value | null
}

const number: Form<number> = { wanted: 'a number', parse: parseNumber }
const time: Form<UnixSeconds> = { wanted: 'a time', parse: parseTime }
const lsn: Form<Lsn> = { wanted: 'a log position', parse: parseLsn }
const timeline: Form<TimelineId> = { wanted: 'a timeline', parse: parseTimeline }
const state: Form<ClusterState> = { wanted: 'a cluster state', parse: parseState }
const identifier: Form<SystemIdentifier> = { wanted: 'a number', parse: parseSystemIdentifier }

/** More than one label where versions differ in the spelling. */
type ReportLine<Value> = Form<Value> & { readonly labels: readonly [string, ...string[]] }

const reportLines: {
  readonly [Name in keyof KnownControlFile]: ReportLine<KnownControlFile[Name]>
} = {
  systemIdentifier: { ...identifier, labels: ['Database system identifier'] },
  controlVersion: { ...number, labels: ['pg_control version number'] },
  catalogVersion: { ...number, labels: ['Catalog version number'] },
  state: { ...state, labels: ['Database cluster state'] },
  modified: { ...time, labels: ['pg_control last modified'] },
  checkpoint: { ...lsn, labels: ['Latest checkpoint location'] },
  redo: { ...lsn, labels: ["Latest checkpoint's REDO location"] },
  checkpointTimeline: { ...timeline, labels: ["Latest checkpoint's TimeLineID"] },
  checkpointTime: { ...time, labels: ['Time of latest checkpoint'] },
  minRecoveryPoint: {
    ...lsn,
    labels: ['Minimum recovery ending location', 'Min recovery ending location'],
  },
  minRecoveryTimeline: { ...timeline, labels: ["Min recovery ending loc's timeline"] },
  walSegmentSize: { ...number, labels: ['Bytes per WAL segment'] },
  walPageSize: { ...number, labels: ['WAL block size'] },
}

/** One line for a person, lower case, without a stop. */
export const describeControlDataFault = (broken: ControlDataFault): string => {
  switch (broken.kind) {
    case 'warning':
      return `it warns: ${plainText(broken.message)}`
    case 'missing line':
      return `its report has no line ${quoteText(broken.label)}`
    case 'bad line': {
      const { label, found, wanted } = broken
      return `${quoteText(label)} is ${quoteText(found)}, but must be ${wanted}`
    }
  }
}
