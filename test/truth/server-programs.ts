/** Programs that come with a server package and not with the servers of the tests. */
import { existsSync } from 'node:fs'

/** The version for which they are wanted: what a program does to files hangs on it. */
export const serverFolder = '/usr/lib/postgresql/15/bin'

type ServerProgram = 'pg_basebackup' | 'pg_rewind' | 'psql' | 'pg_isready'

export const serverProgram = (name: ServerProgram): string => `${serverFolder}/${name}`

export const hasServerPrograms = (...names: readonly ServerProgram[]): boolean =>
  names.every(name => existsSync(serverProgram(name)))
