import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import {
  decodeCgroupMounts,
  decodeCgroupPaths,
  freezerFiles,
  saysFrozen,
  type CgroupMount,
  type CgroupPath,
} from '../../../src/facts/decode/cgroup.ts'
import { anyText, damaged } from '../../harness/foreign-text.ts'

const unified = (path: string): CgroupPath => ({ hierarchy: 'unified', path })
const freezer = (path: string): CgroupPath => ({ hierarchy: 'freezer', path })
const mounted = (
  { hierarchy }: Pick<CgroupMount, 'hierarchy'>,
  mountPoint: string,
  root = '/',
): CgroupMount => ({ hierarchy, root, mountPoint })
const v2 = { hierarchy: 'unified' } as const
const v1 = { hierarchy: 'freezer' } as const

t.test('the path of a process in the unified hierarchy', async t => {
  t.strictSame(decodeCgroupPaths('0::/system.slice/postgresql@15-main.service\n'), [
    unified('/system.slice/postgresql@15-main.service'),
  ])
  t.strictSame(decodeCgroupPaths('0::/\n'), [unified('/')])
  t.strictSame(decodeCgroupPaths('0::/../sibling\n'), [unified('/../sibling')])
})

t.test('and in that of the v1 freezer, alone or mounted with others', async t => {
  const hybrid = '9:name=freezer:/a\n8:pids:/b\n6:devices,freezer:/docker/1a2b\n0::/c\n'
  t.strictSame(decodeCgroupPaths(hybrid), [freezer('/docker/1a2b'), unified('/c')])
  t.strictSame(decodeCgroupPaths('7:freezer:/\n'), [freezer('/')])
})

t.test('names may hold colons, blanks and bytes of any alphabet', async t => {
  const odd = '/a:b c/0::x/\xc3\xa4\\040'
  t.strictSame(decodeCgroupPaths(`6:freezer:${odd}\n0::${odd} (deleted)\n`), [
    freezer(odd),
    unified(`${odd} (deleted)`),
  ])
})

t.test('other lines have no result', async t => {
  const others = ['', '\n', '0::', '0::x', '0:cpu:/a', '00::/a', ':freezer:/a', 'x:freezer:/a']
  for (const text of others) t.strictSame(decodeCgroupPaths(text), [], JSON.stringify(text))
})

/** As Linux 6.18 prints them; the last one shows a part of a hierarchy, at an odd place. */
const mountinfo = `21 1 254:0 / / rw,relatime - ext4 /dev/vda rw,discard
31 23 0:28 / /sys/fs/cgroup rw,relatime - tmpfs tmpfs rw,mode=755
33 31 0:30 / /sys/fs/cgroup/cpu rw,relatime - cgroup cgroup rw,cpu
37 31 0:34 / /sys/fs/cgroup/freezer rw,relatime shared:15 master:2 - cgroup cgroup rw,freezer
40 31 0:37 / /sys/fs/cgroup/systemd rw,relatime - cgroup cgroup rw,name=freezer
41 31 0:38 / /sys/fs/cgroup/unified rw,nosuid - cgroup2 cgroup2 rw,nsdelegate
90 31 0:38 /docker/1a\\0402b /mnt/a\\134b\\011c\\043 ro - cgroup2  rw
`

t.test('where hierarchies are mounted, and which part of them', async t => {
  t.strictSame(decodeCgroupMounts(mountinfo), [
    mounted(v1, '/sys/fs/cgroup/freezer'),
    mounted(v2, '/sys/fs/cgroup/unified'),
    mounted(v2, '/mnt/a\\b\tc#', '/docker/1a 2b'),
  ])
})

t.test('mounts of other kinds, and invalid lines, have no result', async t => {
  const others = [
    '',
    '31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,freezer',
    '33 31 0:30 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu',
    '41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2',
    'x 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw',
    '41 31 0:38 / /sys/fs/cgroup/unified rw cgroup2 cgroup2 rw',
  ]
  for (const text of others) t.strictSame(decodeCgroupMounts(`${text}\n`), [], text)
})

t.test('v2: what was asked for at each level, and what has come of it', async t => {
  const mounts = [mounted(v1, '/v1'), mounted(v2, '/v2')]
  t.strictSame(freezerFiles([unified('/a/b')], mounts), [
    '/v2/a/b/cgroup.events',
    '/v2/a/b/cgroup.freeze',
    '/v2/a/cgroup.freeze',
    '/v2/cgroup.freeze',
  ])
  const atRoot = ['/v2/cgroup.events', '/v2/cgroup.freeze']
  t.strictSame(freezerFiles([unified('/')], mounts), atRoot, 'in a container')
})

t.test('v1: the state of the cgroup itself; both where there are both', async t => {
  const mounts = [mounted(v1, '/v1'), mounted(v2, '/v2')]
  t.strictSame(freezerFiles([freezer('/a/b')], mounts), ['/v1/a/b/freezer.state'])
  t.strictSame(freezerFiles([freezer('/a'), unified('/')], mounts), [
    '/v1/a/freezer.state',
    '/v2/cgroup.events',
    '/v2/cgroup.freeze',
  ])
})

t.test('a mount that shows a part of the hierarchy has files for that part', async t => {
  const part = [mounted(v1, '/v1', '/docker/1a')]
  t.strictSame(freezerFiles([freezer('/docker/1a')], part), ['/v1/freezer.state'])
  t.strictSame(freezerFiles([freezer('/docker/1a/b')], part), ['/v1/b/freezer.state'])
  for (const path of ['/', '/docker', '/docker/1ab', '/docker/2b/1a'])
    t.strictSame(freezerFiles([freezer(path)], part), [], path)
  const two = [...part, mounted(v1, '/all')]
  t.strictSame(freezerFiles([freezer('/docker/2b')], two), ['/all/docker/2b/freezer.state'])
  const over = [mounted(v1, '/v1'), mounted(v1, '/v1')]
  t.equal(freezerFiles([freezer('/a')], over).length, 1, 'mounted twice at the same place')
})

t.test('a cgroup outside of our namespace cannot be seen, unless its mount is', async t => {
  t.strictSame(freezerFiles([unified('/../x')], [mounted(v2, '/v2')]), [])
  t.strictSame(freezerFiles([freezer('/..')], [mounted(v1, '/v1')]), [])
  t.strictSame(freezerFiles([freezer('/a')], [mounted(v1, '/v1', '/..')]), [])
  const outside = [mounted(v1, '/v1', '/..')]
  t.strictSame(freezerFiles([freezer('/../x')], outside), ['/v1/x/freezer.state'])
})

t.test('the words of the kernel', async t => {
  const frozen = ['populated 1\nfrozen 1\n', 'frozen 1\nnew 0\n', '1\n', 'FROZEN\n', 'FREEZING\n']
  for (const content of frozen) t.ok(saysFrozen(content), content)
  const others = ['populated 1\nfrozen 0\n', 'frozen 10\n', '0\n', '10\n', 'THAWED\n', '']
  for (const content of others) t.notOk(saysFrozen(content), content)
})

t.test('no text is too strange, and no path leads out of its mount', async () => {
  const mounts = [mounted(v1, '/v1', '/docker'), mounted(v2, '/v2')]
  const membership = fc.oneof(anyText, damaged('6:freezer:/docker/1a2b\n0::/../a:b c/d\n'))
  fc.assert(
    fc.property(membership, fc.oneof(anyText, damaged(mountinfo)), (text, mountText) => {
      freezerFiles(decodeCgroupPaths(text), decodeCgroupMounts(mountText))
      saysFrozen(text)
      for (const file of freezerFiles(decodeCgroupPaths(text), mounts)) {
        assert.match(file, /^\/v[12]\/[^]*(?:freezer\.state|cgroup\.(?:events|freeze))$/)
        assert.doesNotMatch(file, /\/\.\.\//)
      }
    }),
  )
})
