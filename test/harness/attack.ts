/**
 * What a local user lays out for a root who starts the program: folders, links and files of his
 * own, in a folder that root has left him to write in. Only root can make it.
 */
import { spawnSync } from 'node:child_process'
import { chmodSync, chownSync, existsSync, lchownSync, mkdirSync } from 'node:fs'
import { readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { withoutTap } from './daemon.ts'
import { temporaryFolder } from './left-overs.ts'
import { serverUser } from './server-user.ts'

/** The user ids of root, of the account of the server, who attacks, and of somebody else. */
export const users = { root: 0, attacker: serverUser().uid, victim: 1 } as const

type User = keyof typeof users

export type Scene = {
  /** Root's, and anybody's to write in. */
  readonly folder: string
  readonly directory: (name: string, user: User) => string
  readonly file: (name: string, text: string, user: User) => string
  readonly link: (name: string, target: string, user: User) => string
  /** Of a directory: what makes --control-check pg_controldata run a program. */
  readonly controlFile: (directory: string, user: User) => void
  /** A program that notes as whom it is run. */
  readonly spy: (name: string) => string
  /** As whom it was run so far. */
  readonly spied: () => readonly number[]
}

/** What must be cleaned up: a tap test. */
type Owner = { readonly teardown: (action: () => unknown) => unknown }

export const makeScene = (owner: Owner): Scene => {
  const folder = temporaryFolder()
  owner.teardown(() => rmSync(folder, { recursive: true, force: true }))
  chmodSync(folder, 0o777)
  const notes = join(folder, 'spied')
  const give = (path: string, user: User): string => {
    lchownSync(path, users[user], users[user])
    return path
  }
  const directory = (name: string, user: User): string => {
    const path = join(folder, name)
    mkdirSync(path)
    return give(path, user)
  }
  const file = (name: string, text: string, user: User): string => {
    const path = join(folder, name)
    writeFileSync(path, text, { mode: 0o600 })
    return give(path, user)
  }
  return {
    folder,
    directory,
    file,
    link: (name, target, user) => {
      const path = join(folder, name)
      symlinkSync(target, path)
      return give(path, user)
    },
    controlFile: (name, user) => {
      directory(join(name, 'global'), user)
      file(join(name, 'global/pg_control'), 'x'.repeat(8192), user)
    },
    spy: name => {
      const path = file(name, `#!/bin/sh\nid -u >>'${notes}'\n`, 'root')
      chmodSync(path, 0o755)
      writeFileSync(notes, '')
      chmodSync(notes, 0o666)
      return path
    },
    spied: () => {
      const text = existsSync(notes) ? readFileSync(notes, 'utf8') : ''
      return text.split('\n').filter(Boolean).map(Number)
    },
  }
}

/** The program run to its end, as root. */
export const runAsRoot = (...args: readonly string[]) => {
  const options = { cwd: '/', encoding: 'utf8', timeout: 20_000 } as const
  const { status: code, stdout, stderr } = spawnSync('env', withoutTap(args), options)
  return { code, said: stdout + stderr }
}

/** A folder of the account's with nothing in it, which the daemon takes for one to wait for. */
export const makeEmptyDirectory = (scene: Scene): string => {
  const path = scene.directory('data', 'attacker')
  chownSync(path, serverUser().uid, serverUser().gid)
  return path
}
