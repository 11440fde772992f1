import { statSync, watch } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readWatchedInodes } from '../../src/observe/inotify-watches.ts'

t.test('what is watched is listed by its inode, until it is closed', async t => {
  const directory = t.testdir({ watched: {}, other: {} })
  const watched = statSync(join(directory, 'watched'), { bigint: true }).ino
  const other = statSync(join(directory, 'other'), { bigint: true }).ino
  const watcher = watch(join(directory, 'watched'), { persistent: false })
  t.equal(readWatchedInodes()?.has(watched), true)
  t.equal(readWatchedInodes()?.has(other), false)
  watcher.close()
  t.equal(readWatchedInodes()?.has(watched), false)
})

t.test('the lists of several inotify descriptors are read as one', async t => {
  const self = t.testdir({
    fd: {
      0: t.fixture('symlink', '/dev/null'),
      4: t.fixture('symlink', 'anon_inode:inotify'),
      5: t.fixture('symlink', 'anon_inode:inotify'),
      6: 'no link: gone by the time it is asked for',
    },
    fdinfo: {
      0: 'pos:\t0\nino:\t1038\n',
      4:
        'pos:\t0\nflags:\t02004000\nmnt_id:\t17\nino:\t1038\n' +
        'inotify wd:1 ino:3a0e sdev:800013 mask:fce ignored_mask:0 fhandle-bytes:8\n' +
        'inotify wd:2 ino:ffffffffffffffff sdev:800013 mask:fce ignored_mask:0\n',
      5: 'inotify wd:1 ino:2a sdev:fe00000 mask:fc6\n',
    },
  })
  t.same(readWatchedInodes(self), new Set([0x3a0en, 0xffff_ffff_ffff_ffffn, 42n]))
})

t.test('a process without inotify watches nothing', async t => {
  t.same(readWatchedInodes(t.testdir({ fd: {} })), new Set())
})

t.test('where there is no such file it can not be told', async t => {
  t.equal(readWatchedInodes(t.testdir({})), null)
})
