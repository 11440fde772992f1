/** A file read through what was read of it before: see kept-reading.ts for when that counts. */
import { isMissing, readBytes, readBytesAtOnce, statusOf, type RawFile } from './disk.ts'
import { createKeptReading, type Keeping } from './kept-reading.ts'

export type KeptFile = {
  /** The very same object as before when the file has provably not changed meanwhile. */
  readonly read: () => Promise<RawFile>
  /** What read() found, as far as it may be gone by until the next one proves it; or null. */
  readonly presumed: () => RawFile | null
  readonly forget: () => void
}

export const createKeptFile = (
  { path, bytesMax }: { readonly path: string; readonly bytesMax: number },
  keeping: Keeping,
): KeptFile => {
  const kept = createKeptReading<RawFile>(keeping)

  return {
    read: async () => {
      const began = kept.begin()
      if (kept.presumed() !== null) {
        const status = await statusOf(path, keeping.pace())
        if (isMissing(status)) {
          kept.note(status, null, began)
          return status
        }
        const proven = kept.provenBy(status)
        if (proven !== null) return proven
      }
      const atOnce = keeping.pace() === 'at once' ? readBytesAtOnce(path, bytesMax) : null
      const { raw, status } = atOnce ?? (await readBytes(path, bytesMax))
      kept.note(raw, status, began)
      return raw
    },
    presumed: kept.presumed,
    forget: kept.forget,
  }
}
