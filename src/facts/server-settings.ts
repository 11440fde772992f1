/**
 * What a server's configuration files say of its data directory, its port, and bgw_replstatus.
 * Files that an `include` names are not followed, except Debian's conf.d.
 */
import { parseSettingLine } from './setting-line.ts'

/** Names in lower case; what the server would use at its next start. */
export type ServerSettings = ReadonlyMap<string, string>

/** Of several files, and of several lines, the last one wins. */
export const readSettings = (texts: readonly string[]): ServerSettings => {
  const settings = new Map<string, string>()
  for (const line of texts.flatMap(text => text.split('\n'))) {
    const setting = parseSettingLine(line)
    if (setting !== null) settings.set(setting.name.toLowerCase(), setting.value)
  }
  return settings
}

export type WorkerSettings = {
  readonly port: number
  /** Null for every address. */
  readonly bind: string | null
}

/** Where bgw_replstatus answers; null where the server does not load it. */
export const workerSettings = (settings: ServerSettings): WorkerSettings | null => {
  const port = settings.get('bgw_replstatus.port')
  const bind = settings.get('bgw_replstatus.bind') ?? ''
  const loaded = (settings.get('shared_preload_libraries') ?? '')
    .split(',')
    .some(library => /(?:^|\/)bgw_replstatus(?:\.so)?$/.test(library.trim().replaceAll('"', '')))
  if (!loaded && port === undefined && bind === '') return null
  return { port: Number(port ?? workerPort), bind: bind === '' ? null : bind }
}

/** bgw_replstatus.c */
const workerPort = 5400
