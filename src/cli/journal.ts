/** Whether what we write is read by journald. */
import type { Stats } from 'node:fs'

/**
 * systemd names the device and inode of the stream it made for the service (JOURNAL_STREAM in
 * systemd.exec(5)). A child inherits the name even when its own output leads elsewhere.
 */
export const leadsToJournal = (
  { dev, ino }: Pick<Stats, 'dev' | 'ino'>,
  journalStream: string | undefined,
): boolean => journalStream === `${dev}:${ino}`
