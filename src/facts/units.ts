/**
 * Values that must not be mixed up, and how they are read and printed. A brand costs nothing at run
 * time; each is made in one place, by the decoder or clock that knows what the value means.
 */
declare const brand: unique symbol
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name }

/** A process id, positive, in the pid namespace of the process that wrote it. */
export type Pid = Branded<number, 'Pid'>
/** A position in the write-ahead log: 64 bits, printed as `16/B374D848`. */
export type Lsn = Branded<bigint, 'Lsn'>
/** A timeline: 32 bits, 0 where the control file has none. */
export type TimelineId = Branded<number, 'TimelineId'>
/** The 64-bit number that initdb gives a cluster and its physical copies. */
export type SystemIdentifier = Branded<bigint, 'SystemIdentifier'>
/** Milliseconds of a clock that is never set; only differences mean anything. */
export type MonotonicMs = Branded<number, 'MonotonicMs'>
/** Milliseconds since 1970, as files are stamped with and people read. */
export type UnixMs = Branded<number, 'UnixMs'>
/** Whole seconds since 1970, as PostgreSQL writes them. */
export type UnixSeconds = Branded<number, 'UnixSeconds'>
/** Content of PG_VERSION, such as `9.6` or `15`: digits and a dot. */
export type PgVersion = Branded<string, 'PgVersion'>
/** Clock ticks since boot (1/100 s on Linux), as in field 22 of /proc/PID/stat. */
export type Ticks = Branded<number, 'Ticks'>

/** Prints a log position as PostgreSQL's pg_lsn does: two hexadecimal halves. */
export const printLsn = (lsn: Lsn): string => {
  const high = (lsn >> 32n).toString(16)
  const low = (lsn & 0xffff_ffffn).toString(16)
  return `${high}/${low}`.toUpperCase()
}

/** Reads one as any version prints it, with leading zeros or without; null for anything else. */
export const parseLsn = (text: string): Lsn | null => {
  const [, high, low] = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/.exec(text) ?? []
  if (high === undefined || low === undefined) return null
  return BigInt(`0x${high}${low.padStart(8, '0')}`) as Lsn
}

/**
 * That of a WAL segment, which is the first eight of the 24 hexadecimal digits in its file name:
 * XLogFileName() in xlog_internal.h. Null for other names, such as that of a history file.
 */
export const timelineOfSegment = (name: string): TimelineId | null =>
  /^[0-9A-F]{24}$/.test(name) ? (Number.parseInt(name.slice(0, 8), 16) as TimelineId) : null

/**
 * PG_VERSION: two numbers up to 9.6, one from 10 on; null for anything else. The text becomes part
 * of a path, that of pg_controldata, and is shown to clients, so that nothing but numbers may pass.
 * The server reads the numbers that the file begins with (ValidatePgVersion() in miscinit.c) and
 * writes no other text.
 */
export const parsePgVersion = (text: string): PgVersion | null => {
  const [, version] = versionForm.exec(text) ?? []
  return version === undefined ? null : (version as PgVersion)
}

const versionForm = /^(\d{1,3}(?:\.\d{1,3})?)\s*$/

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** `850 ms`, `4.2 s`, `3 min 5 s`, `2 h 12 min`, `9 d 4 h`. Negative spans count as none. */
export const printDuration = (spanMs: number): string => {
  const ms = Math.max(0, spanMs)
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < minuteMs) return `${(Math.floor(ms / 100) / 10).toFixed(1)} s`
  if (ms < hourMs) return `${Math.floor(ms / minuteMs)} min ${Math.floor((ms % minuteMs) / 1000)} s`
  if (ms < dayMs) return `${Math.floor(ms / hourMs)} h ${Math.floor((ms % hourMs) / minuteMs)} min`
  return `${Math.floor(ms / dayMs)} d ${Math.floor((ms % dayMs) / hourMs)} h`
}

/** Bytes, as Patroni and PostgreSQL spell them: `1024`, `512kB`, `1.5 GB`; null for others. */
export const parseSize = (text: string): number | null => {
  const [, number, unit = 'B'] = /^(\d+(?:\.\d*)?) ?([A-Za-z]*)$/.exec(text) ?? []
  const power = sizeUnits.indexOf(unit === '' ? 'B' : unit)
  return number === undefined || power < 0 ? null : Number(number) * 1024 ** power
}

/** As in postgresql.conf, case counts. */
const sizeUnits: readonly string[] = ['B', 'kB', 'MB', 'GB', 'TB']

/** `512 B`, `16.0 MB`, with the units of PostgreSQL: each is 1024 of the one before. */
export const printSize = (bytes: number): string => {
  if (bytes < 1024) return `${bytes} B`
  let [size, unit] = [bytes, 'B']
  for (const larger of sizeUnits.slice(1)) {
    if (size < 1024) break
    size /= 1024
    unit = larger
  }
  return `${size.toFixed(1)} ${unit}`
}
