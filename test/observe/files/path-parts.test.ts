import { realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import t, { type Test } from 'tap'
import { partsOf } from '../../../src/observe/files/path-parts.ts'

const setUp = (t: Test) => {
  const folder = realpathSync(t.testdir({ real: { data: { file: '' } }, links: {} }))
  /** The parts below that folder. */
  const below = async (path: string) => {
    const { parts, end } = await partsOf(join(folder, path))
    const paths = parts.map(part => relative(folder, part.path))
    return { paths: paths.filter(one => one !== '' && !one.startsWith('..')), end, parts }
  }
  const link = (path: string, target: string) => symlinkSync(target, join(folder, path))
  return { folder, below, link }
}
const own = { user: process.getuid?.(), group: process.getgid?.() }

t.test('each folder from / on is a part, with its owner', async t => {
  const { folder, below } = setUp(t)
  const { parts, paths, end } = await below('real/data')
  t.match(parts[0], { path: '/', user: Number })
  t.match(parts.at(-1), { path: join(folder, 'real/data'), isLink: false, ...own })
  t.strictSame({ paths, end }, { paths: ['real', 'real/data'], end: null })
  t.strictSame((await partsOf('/')).parts.length, 1)
})

t.test('so is a link, and all that it leads through', async t => {
  const { folder, below, link } = setUp(t)
  link('links/relative', '../real/data')
  link('links/absolute', join(folder, 'real/./data/'))
  link('links/chain', 'relative')
  link('links/folder', '../real')
  const through = async (path: string) => (await below(path)).paths
  t.strictSame(await through('links/relative'), ['links', 'links/relative', 'real', 'real/data'])
  t.strictSame(await through('links/absolute'), ['links', 'links/absolute', 'real', 'real/data'])
  const chain = ['links', 'links/chain', 'links/relative', 'real', 'real/data']
  t.strictSame(await through('links/chain'), chain)
  const beyond = ['links', 'links/folder', 'real', 'real/data', 'real/data/file']
  t.strictSame(await through('links/folder/data/file'), beyond)
})

t.test('the last part is what the path leads to, also where that was passed before', async t => {
  const { folder, below, link } = setUp(t)
  link('links/above', '..')
  link('links/top', '/')
  t.match((await below('links/above')).parts.at(-1), { path: join(folder, 'links/above'), ...own })
  const [top] = (await partsOf('/')).parts
  t.match((await below('links/top')).parts.at(-1), { user: top?.user })
})

t.test('links of /proc lead elsewhere than their text', async t => {
  t.match((await partsOf('/proc/self/root')).parts.at(-1), { path: '/proc/self/root' })
})

t.test('what does not exist, or cannot be seen, ends it', async t => {
  const { folder, below, link } = setUp(t)
  const to = async (path: string) => {
    const { paths, end } = await below(path)
    return [paths.at(-1), end]
  }
  t.strictSame(await to('real/missing/data'), ['real', 'ENOENT'])
  t.strictSame(await to('real/data/file/below'), ['real/data/file', 'ENOTDIR'])
  link('links/dangling', '../missing')
  t.strictSame(await to('links/dangling'), ['links/dangling', 'ENOENT'])
  link('links/circle', 'circle')
  t.strictSame(await to('links/circle'), ['links/circle', 'ELOOP'])
  writeFileSync(join(folder, 'x'.repeat(100)), '')
  t.strictSame((await to('x'.repeat(300)))[1], 'ENAMETOOLONG')
})
