/** Programs that come with a server package and not with the servers of the tests. */
import { existsSync } from 'node:fs'

/** The version for which they are wanted: what a program does to files hangs on it. */
const folder = '/usr/lib/postgresql/15/bin'

export const serverProgram = (name: 'pg_basebackup' | 'pg_rewind'): string => `${folder}/${name}`

export const hasServerPrograms = (): boolean =>
  existsSync(serverProgram('pg_basebackup')) && existsSync(serverProgram('pg_rewind'))
