import { chmodSync, mkdirSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isTrusted, whoElseWrites } from '../../../src/observe/files/trusted-path.ts'
import { asOrdinaryUser } from '../../harness/ordinary-user.ts'

/** A folder of ours within another one, as an ordinary user. */
const inFolders = (
  action: (folders: { readonly outer: string; readonly inner: string }) => Promise<void>,
): Promise<void> =>
  asOrdinaryUser(async top => {
    const outer = join(top, 'outer')
    const inner = join(outer, 'inner')
    mkdirSync(inner, { recursive: true })
    for (const path of [outer, inner]) chmodSync(path, 0o755)
    await action({ outer, inner })
  })

t.test('root and the current user are trusted, and no other user', async t => {
  t.ok(isTrusted({ uid: 0n }, 105))
  t.ok(isTrusted({ uid: 105n }, 105))
  t.notOk(isTrusted({ uid: 106n }, 105))
  t.notOk(isTrusted({ uid: 106n }, undefined))
})

t.test('a folder that we alone may write is none of others', async t => {
  await inFolders(async ({ outer, inner }) => {
    for (const path of [inner, `${inner}/`, outer, '/', '/usr'])
      t.equal(await whoElseWrites(path), null)
  })
})

t.test('one that others may write is', async t => {
  await inFolders(async ({ inner }) => {
    const { gid } = statSync(inner)
    const flaws: readonly (readonly [number, string])[] = [
      [0o757, `${inner} is writable by all users`],
      [0o777, `${inner} is writable by all users`],
      [0o1777, `${inner} is writable by all users`],
      [0o775, `${inner} is writable by group id ${gid}`],
      [0o2770, `${inner} is writable by group id ${gid}`],
    ]
    for (const [mode, flaw] of flaws) {
      chmodSync(inner, mode)
      t.equal(await whoElseWrites(inner), flaw)
    }
  })
})

t.test('so is one below such a folder, unless that is sticky', async t => {
  await inFolders(async ({ outer, inner }) => {
    chmodSync(outer, 0o777)
    t.equal(await whoElseWrites(inner), `${outer} is writable by all users`)
    chmodSync(outer, 0o1777)
    t.equal(await whoElseWrites(inner), null)
  })
})

t.test('so is one of another user', async t => {
  await inFolders(async ({ inner }) => {
    const { uid } = statSync(inner)
    t.match(await whoElseWrites(inner, uid + 1), new RegExp(` belongs to user id ${uid}$`))
  })
})

t.test('a link is followed, and each folder that it leads through counts', async t => {
  await inFolders(async ({ outer, inner }) => {
    const link = join(outer, 'link')
    symlinkSync('inner/../inner/.', link)
    t.equal(await whoElseWrites(link), null)
    const far = join(outer, 'far')
    symlinkSync(inner, far)
    t.equal(await whoElseWrites(far), null)
    chmodSync(inner, 0o777)
    for (const path of [link, far]) {
      t.equal(await whoElseWrites(path), `${inner} is writable by all users`)
      t.equal(await whoElseWrites(join(path, 'below')), `${inner} is writable by all users`)
    }
  })
})

t.test('a missing folder can be created by every user that can write the one above', async t => {
  await inFolders(async ({ outer, inner }) => {
    const absent = join(inner, 'none', 'below')
    t.equal(await whoElseWrites(absent), null)
    chmodSync(inner, 0o1777)
    t.equal(await whoElseWrites(absent), `${inner} is writable by all users`)
    chmodSync(outer, 0)
    t.equal(await whoElseWrites(inner), null, 'what can not be seen is not guessed at')
    // To be removed by whoever made it.
    chmodSync(outer, 0o755)
  })
})

t.test('a path that leads nowhere cannot be written by any user', async t => {
  await inFolders(async ({ outer }) => {
    const loop = join(outer, 'loop')
    symlinkSync(loop, loop)
    t.equal(await whoElseWrites(loop), null)
  })
})
