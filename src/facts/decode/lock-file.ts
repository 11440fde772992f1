/**
 * postmaster.pid, the lock file of a data directory: up to eight lines with the process that
 * runs the cluster and its state.
 *
 * Source: src/include/utils/pidfile.h and src/backend/utils/init/miscinit.c, PostgreSQL 10 to 18;
 * 9.x writes the same without line 8. Lines 4 and up may be filled in any order.
 */
import { quoteText } from '../visible-text.ts'
import { fact, fault, type Outcome } from '../outcome.ts'
import type { Pid, UnixSeconds } from '../units.ts'

/** Line 8, blank padded to eight characters by the server. */
export type PostmasterStatus = 'starting' | 'stopping' | 'ready' | 'standby'

export type LockFile = {
  /** Line 1 without its sign. */
  readonly pid: Pid
  /** Line 1 is negative: a single-user or bootstrap backend holds the directory. */
  readonly singleUser: boolean
  /** How many lines there are, 1 to 8. */
  readonly lineCount: number
  /** Line 2, as the server resolved it in its own mount namespace; null while not written. */
  readonly dataDirectory: string | null
  /** Line 3; null while not written. */
  readonly startTime: UnixSeconds | null
  /** Line 4; null while not written. */
  readonly port: number | null
  /** Line 5, empty when there is no Unix socket; null while not written. */
  readonly socketDirectory: string | null
  /** Line 6, `*` for all, empty when TCP is off; null while not written. */
  readonly listenAddress: string | null
  /** Line 7, SysV shared memory. The id changes in every crash restart. */
  readonly sharedMemory: { readonly key: number; readonly id: number } | null
  /** Line 8; null before it is written, and always so before PostgreSQL 10. */
  readonly status: PostmasterStatus | null
}

export type LockFileFault =
  /** Between open(O_CREAT) and the first write: seen for up to a millisecond. */
  | { readonly kind: 'empty' }
  /**
   * Line `line` (1 to 8, or 9 when there are too many) is not what stands there. Its text is left
   * out: a link to a file of passwords in this place would show them to each client.
   */
  | { readonly kind: 'bad line'; readonly line: number; readonly length: number }
  /**
   * Line 8 is none of the four words: caught while being overwritten. Look again. Seven lines that
   * fit make it a lock file, so that its text is no secret; `found` is cut to 40 characters.
   */
  | { readonly kind: 'mixed status'; readonly found: string }

const foundLengthMax = 40

export const decodeLockFile = (text: string): Outcome<LockFile, LockFileFault> => {
  if (text === '') return fault({ kind: 'empty' })
  // The last line may lack its end when the file is caught being written.
  const lines = text.replace(/\n$/, '').split('\n')
  const bad = lines.findIndex((line, index) => !fits(line, index))
  const found = lines[bad]
  if (found !== undefined) {
    return bad === statusIndex
      ? fault({ kind: 'mixed status', found: found.slice(0, foundLengthMax) })
      : fault({ kind: 'bad line', line: bad + 1, length: found.length })
  }
  const [pid, dataDirectory, startTime, port, socketDirectory, listenAddress, shared, status] =
    lines
  return fact({
    pid: Math.abs(Number(pid)) as Pid,
    singleUser: Number(pid) < 0,
    lineCount: lines.length,
    dataDirectory: dataDirectory ?? null,
    startTime: numberOf(startTime) as UnixSeconds | null,
    port: numberOf(port),
    socketDirectory: socketDirectory ?? null,
    listenAddress: listenAddress ?? null,
    sharedMemory: sharedMemoryOf(shared),
    status: statusOf(status),
  })
}

type LineForm = { readonly wanted: string; readonly fits: (line: string) => boolean }

const statusWanted = 'starting, stopping, ready or standby'

/** The eight lines, in order. Lines 4 to 7 are empty while a later one has been written first. */
const lineForms: readonly LineForm[] = [
  { wanted: 'a process id', fits: line => /^-?[1-9]\d{0,9}$/.test(line) && isInt32(line) },
  { wanted: 'the path of a data directory', fits: line => line.startsWith('/') },
  { wanted: 'a start time in seconds', fits: line => /^\d{1,15}$/.test(line) },
  { wanted: 'a port number', fits: line => /^\d{0,5}$/.test(line) && Number(line) <= 65_535 },
  { wanted: 'a socket directory', fits: () => true },
  { wanted: 'a listen address', fits: () => true },
  { wanted: 'key and id of shared memory', fits: line => line === '' || sharedMemory.test(line) },
  { wanted: statusWanted, fits: line => statusOf(line) !== null },
]

const statusIndex = 7

const fits = (line: string, index: number): boolean => lineForms[index]?.fits(line) ?? false

const isInt32 = (line: string): boolean => Math.abs(Number(line)) <= 0x7fff_ffff

const numberOf = (line: string | undefined): number | null =>
  line === undefined || line === '' ? null : Number(line)

/** `%9lu %9lu`. The key is an inode cut to a signed int and printed unsigned: up to 20 digits. */
const sharedMemory = /^ *(\d{1,20}) +(\d{1,20})$/

const sharedMemoryOf = (line: string | undefined): LockFile['sharedMemory'] => {
  const [, key, id] = sharedMemory.exec(line ?? '') ?? []
  return key === undefined || id === undefined ? null : { key: uint32(key), id: uint32(id) }
}

const uint32 = (digits: string): number => Number(BigInt.asUintN(32, BigInt(digits)))

const statusWords: readonly PostmasterStatus[] = ['starting', 'stopping', 'ready', 'standby']

const statusOf = (line = ''): PostmasterStatus | null =>
  statusWords.find(word => word.padEnd(line.length) === line) ?? null

/** One line for a person, lower case, without a stop. */
export const describeLockFileFault = (broken: LockFileFault): string => {
  switch (broken.kind) {
    case 'empty':
      return 'it is empty'
    case 'bad line': {
      const form = lineForms[broken.line - 1]
      if (form === undefined) return `it has more than ${lineForms.length} lines`
      return `line ${broken.line} (${broken.length} characters) must be ${form.wanted}`
    }
    case 'mixed status':
      return `line ${statusIndex + 1} is ${quoteText(broken.found)}, but must be ${statusWanted}`
  }
}
