/** How many descriptors this process may have open: RLIMIT_NOFILE, as the kernel shows it. */
import { readBytes } from '../files/disk.ts'
import { nullInShortage } from '../system/system-error.ts'

/** Sixteen lines of 80 characters. */
const bytesMax = 4096

/** The soft limit, Infinity for none; null where it can't be told, such as outside Linux. */
export const readDescriptorLimit = async (path = '/proc/self/limits'): Promise<number | null> => {
  const read = await nullInShortage(() => readBytes(path, bytesMax))
  if (read?.raw.kind !== 'present') return null
  const { raw } = read
  const text = Buffer.from(raw.bytes).toString('latin1')
  const [, soft] = /^Max open files +(\d+|unlimited) /m.exec(text) ?? []
  if (soft === undefined) return null
  return soft === 'unlimited' ? Infinity : Number(soft)
}
