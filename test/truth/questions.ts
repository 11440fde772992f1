/** What is asked of a server, of a probe, and of the files. Each answer is a word. */
import { closeSync, constants, openSync, readSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { logIn, type Conversation } from './server-conversation.ts'
import type { LoginWord, ProbeWord, SessionWord } from './testimony.ts'

export type Question = () => Promise<string>

/** Longer than any login of a server that serves, shorter than any fault of interest. */
const hungMs = 1000

const truthWords: Readonly<Record<string, SessionWord>> = {
  t: 'in recovery',
  f: 'not in recovery',
}

/** One session for as long as it lives, then the next. */
export const createSessionQuestion = (port: number): (() => Promise<SessionWord>) => {
  let conversation: Conversation | null = null
  return async () => {
    if (conversation === null) {
      const loggedIn = await logIn(port, hungMs)
      if (typeof loggedIn === 'string') return loggedIn === 'refused' ? 'refused' : 'lost'
      conversation = loggedIn
    }
    const word = truthWords[(await conversation.ask('select pg_is_in_recovery()')) ?? '']
    if (word !== undefined) return word
    conversation.close()
    conversation = null
    return 'lost'
  }
}

export const tryLogin = async (port: number): Promise<LoginWord> => {
  const loggedIn = await logIn(port, hungMs)
  if (typeof loggedIn === 'string') return loggedIn
  loggedIn.close()
  return 'accepted'
}

export const askProbe = (port: number): Promise<ProbeWord> =>
  new Promise(resolve => {
    const socket = connect({ port, host: '127.0.0.1' })
    let said = ''
    const limit = setTimeout(() => settle('hung'), hungMs)
    const settle = (word: ProbeWord): void => {
      clearTimeout(limit)
      socket.destroy()
      resolve(word)
    }
    socket.on('data', (chunk: Buffer) => {
      said += chunk.toString('latin1')
    })
    socket.on('end', () => settle(said))
    socket.on('error', (error: NodeJS.ErrnoException) =>
      settle(error.code === 'ECONNREFUSED' ? 'refused' : said || 'reset'),
    )
  })

/** DBState in src/include/catalog/pg_control.h, at byte 16 of global/pg_control. */
const stateOffset = 16
const inArchiveRecovery = 5
const inProduction = 6
const statusLine = 7

/**
 * The rule that people put into scripts: line 8 of postmaster.pid and the state that
 * pg_controldata prints, no process looked at. It stands for what files alone can tell.
 */
export const askFiles = async (directory: string): Promise<ProbeWord> => {
  try {
    const lockFile = readBeginning(join(directory, 'postmaster.pid')).toString('latin1')
    if (lockFile.split('\n')[statusLine]?.trimEnd() !== 'ready') return ''
    const state = readBeginning(join(directory, 'global/pg_control')).readUInt32LE(stateOffset)
    if (state === inProduction) return 'MASTER'
    return state === inArchiveRecovery ? 'STANDBY' : ''
  } catch {
    return ''
  }
}

const beginningBytes = 512

/** Not held up by a pipe in the file's place. */
const readBeginning = (path: string): Buffer => {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK)
  try {
    const bytes = Buffer.alloc(beginningBytes)
    return bytes.subarray(0, readSync(file, bytes))
  } finally {
    closeSync(file)
  }
}
