/**
 * Numbers that must not be mixed up. A brand costs nothing at run time; each is made in one
 * place, by the decoder or clock that knows what the number means.
 */
declare const brand: unique symbol
type Branded<Base, Name extends string> = Base & { readonly [brand]: Name }

/** A process id, positive, in the pid namespace of whoever wrote it down. */
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
/** Clock ticks since boot (1/100 s on Linux), as in field 22 of /proc/PID/stat. */
export type Ticks = Branded<number, 'Ticks'>

/** Prints a log position as PostgreSQL's pg_lsn does: two hexadecimal halves. */
export const printLsn = (lsn: Lsn): string => {
  const high = (lsn >> 32n).toString(16)
  const low = (lsn & 0xffff_ffffn).toString(16)
  return `${high}/${low}`.toUpperCase()
}

/** Reads one that is printed so; null for any other text. */
export const parseLsn = (text: string): Lsn | null => {
  const [, high, low] = /^([0-9A-F]{1,8})\/([0-9A-F]{1,8})$/.exec(text) ?? []
  if (high === undefined || low === undefined) return null
  return BigInt(`0x${high}${low.padStart(8, '0')}`) as Lsn
}
