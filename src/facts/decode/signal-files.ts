/**
 * What the next start of the startup process will do, from the files an operator leaves in the
 * data directory. It does not show what the server is now: the files are read only when the
 * startup process starts (first start and every crash restart).
 *
 * Source: src/backend/access/transam/xlogrecovery.c (readRecoverySignalFile) 12 to 18, xlog.c
 * (readRecoveryCommandFile) up to 11, and src/backend/utils/adt/bool.c for the syntax of booleans.
 */
import { parseSettingLine } from './postgresql-conf.ts'

/** Which of the files are there. */
export type SignalFiles = {
  readonly standbySignal: boolean
  readonly recoverySignal: boolean
  /** recovery.conf, with its standby_mode. */
  readonly recoveryConf: { readonly standbyMode: boolean } | null
  readonly backupLabel: boolean
}

/**
 * `standby`: starts as a standby. `recovery`: replays an archive to a target and then becomes a
 * primary. `fails`: recovery.conf on 12 and newer, which ends the start with FATAL. `primary`:
 * starts as a primary.
 */
export type NextStart = 'standby' | 'recovery' | 'fails' | 'primary'

/** `majorVersion`: 9 for every 9.x. */
export const nextStart = (files: SignalFiles, majorVersion: number): NextStart => {
  const { recoveryConf, standbySignal, recoverySignal } = files
  if (majorVersion < firstWithSignalFiles) {
    if (recoveryConf === null) return 'primary'
    return recoveryConf.standbyMode ? 'standby' : 'recovery'
  }
  if (recoveryConf !== null) return 'fails'
  if (standbySignal) return 'standby'
  return recoverySignal ? 'recovery' : 'primary'
}

const firstWithSignalFiles = 12

/**
 * The last standby_mode that can be understood. A file with a line that can't be would end the
 * start with FATAL; so would an upper-case name, which is read all the same: a standby was
 * intended. Files that an `include` names are not followed.
 */
export const parseRecoveryConf = (text: string): { readonly standbyMode: boolean } => {
  let standbyMode = false
  for (const line of text.split('\n')) {
    const setting = parseSettingLine(line)
    if (setting?.name.toLowerCase() !== 'standby_mode') continue
    standbyMode = parseBoolean(setting.value) ?? standbyMode
  }
  return { standbyMode }
}

/** Any beginning of a word that no other word shares: `o` is none, `of` and `on` are. */
const spellings: readonly { readonly value: boolean; readonly form: RegExp }[] = [
  { value: true, form: /^(?:t|tr|tru|true|y|ye|yes|on|1)$/i },
  { value: false, form: /^(?:f|fa|fal|fals|false|n|no|of|off|0)$/i },
]

const parseBoolean = (value: string): boolean | null =>
  spellings.find(({ form }) => form.test(value))?.value ?? null
