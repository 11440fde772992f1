/**
 * The pictures of the documents: each has words for readers who do not see it, is legible in both
 * modes, loads nothing, and is no larger than it has to be. How they are drawn is tested here, too.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { deflateSync, inflateSync } from 'node:zlib'
import { chromium } from 'playwright-core'
import t from 'tap'
import { needProgram } from '../harness/needs.ts'
import { repositoryRoot } from '../harness/repository.ts'
import { drawArchitecture } from '../pictures/architecture.ts'
import { withPalette } from '../pictures/indexed-png.ts'
import { drawStory } from '../pictures/lanes.ts'
import { contrast, drawnOn, schemes, writtenOn } from '../pictures/palette.ts'
import { element, printDrawing, text, words } from '../pictures/svg.ts'
import { drawTerminal, rowsOf } from '../pictures/terminal.ts'

const root = repositoryRoot()
const read = (path: string): string => readFileSync(join(root, path), 'utf8')
const namesOf = (folder: string): readonly string[] =>
  readdirSync(join(root, folder)).map(name => `${folder}/${name}`)

const pictures = namesOf('fixtures/pictures')
const drawings = pictures.filter(path => path.endsWith('.svg'))
const documents = ['README.md', ...namesOf('fixtures/docs')]

/** `alt` is null for another source of the same picture. */
type Shown = { readonly from: string; readonly path: string; readonly alt: string | null }

const shownIn = (from: string): readonly Shown[] => {
  const page = read(from)
  const at = (target: string): string => normalize(join(dirname(from), target))
  const images = page.matchAll(/!\[([^\]]*)\]\(([^)\s]+)\)/g)
  const elements = page.matchAll(/<img\s+src="([^"]*)"\s+alt="([^"]*)"/g)
  const sources = page.matchAll(/<source[^>]*srcset="([^"]*)"/g)
  return [
    ...Array.from(images, ([, alt = '', target = '']) => ({ from, path: at(target), alt })),
    ...Array.from(elements, ([, target = '', alt = '']) => ({ from, path: at(target), alt })),
    ...Array.from(sources, ([, target = '']) => ({ from, path: at(target), alt: null })),
  ]
}
const shown = documents.flatMap(shownIn)

t.test('each picture that a page shows is there, and each that is there is shown', async t => {
  t.ok(pictures.length > 3, `${pictures.length} pictures`)
  t.strictSame(new Set(shown.map(({ path }) => path)), new Set(pictures))
  // Those that are found here by their form are all that there are.
  const written = documents.flatMap(path => read(path).match(/<img\b|<source\b|!\[/g) ?? [])
  t.equal(shown.length, written.length)
})

t.test('pictures are installed with the pages that show them', async t => {
  const { files } = JSON.parse(read('package.json')) as { files: readonly string[] }
  t.ok(files.includes('fixtures/pictures') && files.includes('fixtures/docs'))
})

t.test('words say what each picture shows', async t => {
  for (const { from, path, alt } of shown) {
    if (alt !== null) t.ok(alt.split(/\s+/).length > 25, `${path} in ${from}: ${alt}`)
  }
})

const kilobytes = { svg: 40, png: 60 } as const

t.test('pictures are light', async t => {
  for (const path of pictures) {
    const ending = path.endsWith('.svg') ? 'svg' : 'png'
    const bytes = readFileSync(join(root, path))
    t.ok(bytes.length <= kilobytes[ending] * 1024, `${path}: ${bytes.length} bytes`)
    if (ending === 'png') t.equal(bytes.toString('latin1', 1, 4), 'PNG', path)
  }
})

const attribute = String.raw`\s+[\w:-]+="[^"<]*"`
const token = new RegExp(String.raw`<(/?)([\w-]+)((?:${attribute})*)\s*(/?)>|([^<]+)`, 'y')

/** As far as drawings go: elements nest, attributes are quoted, and signs are escaped. */
const isWellFormed = (xml: string): boolean => {
  if (/&(?!(?:amp|lt|gt|quot);)/.test(xml)) return false
  const open: string[] = []
  const pattern = new RegExp(token)
  while (pattern.lastIndex < xml.length) {
    const [, end, name = '', , alone, said] = pattern.exec(xml) ?? []
    if (name === '' && said === undefined) return false
    if (said !== undefined && open.length === 0 && said.trim() !== '') return false
    if (end === '/' && open.pop() !== name) return false
    if (name !== '' && end === '' && alone === '') open.push(name)
  }
  return open.length === 0
}

t.test('what is not XML is found', async t => {
  t.ok(isWellFormed('<a b="c"><d/>e &amp; f</a>\n'))
  for (const wrong of ['<a>', '<a></b>', '<a b=c/>', '<a>&nbsp;</a>', '<a/>b', '<a b="<"/>']) {
    t.notOk(isWellFormed(wrong), wrong)
  }
})

const forbidden = /<script|<foreignObject|<image|href=|\son\w+=|@import|url\((?!#)|javascript:/i

t.test('drawings have a title and a description, and neither scripts nor references', async t => {
  for (const path of drawings) {
    const svg = read(path)
    t.ok(isWellFormed(svg), `${path} is well formed`)
    t.match(svg, /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[^>]* role="img"/, path)
    const [, title = '', description = ''] =
      /<title id="title">([^<]+)<\/title>\s*<desc id="desc">([^<]+)<\/desc>/.exec(svg) ?? []
    t.match(svg, ' aria-labelledby="title desc"', path)
    t.ok(title.length > 20 && description.length > 100, `${path}: ${title}`)
    t.notMatch(svg, forbidden, path)
  }
})

t.test('motion ends where none is wanted', async t => {
  for (const path of drawings) {
    const svg = read(path)
    const moving = svg.match(/animation:/g)?.length ?? 0
    const guarded = /@media not \(prefers-reduced-motion:reduce\)\{([^@]*?\})\s*\}/.exec(svg)?.[1]
    t.equal(guarded?.match(/animation:/g)?.length ?? 0, moving, path)
    t.equal(moving > 0, path.endsWith('/demo.svg'), path)
  }
})

t.test('drawings have the colours of the palette, which are legible in both modes', async t => {
  const tables = Object.entries(schemes).map(([name, scheme]) => ({ name, scheme }))
  for (const { name, scheme } of tables) {
    for (const [text, ground] of writtenOn) {
      const ratio = contrast(scheme[text], scheme[ground])
      t.ok(ratio >= 4.5, `${name}: ${text} on ${ground} has ${ratio.toFixed(1)}`)
    }
    for (const [line, ground] of drawnOn) {
      const ratio = contrast(scheme[line], scheme[ground])
      t.ok(ratio >= 3, `${name}: ${line} on ${ground} has ${ratio.toFixed(1)}`)
    }
  }
  t.equal(contrast('#000000', '#ffffff'), 21)
  for (const path of drawings) {
    const svg = read(path)
    const found = Array.from(svg.matchAll(/svg\{(--[^}]*)\}/g), ([, list = '']) =>
      Object.fromEntries(list.split(';').map(one => one.replace('--', '').split(':'))),
    )
    t.strictSame(found, [schemes.light, schemes.dark], path)
    const others = svg.replaceAll(/svg\{--[^}]*\}/g, '').match(/#[0-9a-f]{3,8}\b|\brgb/gi) ?? []
    t.strictSame(others, [], `${path} has no other colours`)
  }
})

t.test('the drawing of the architecture is up to date: npm run pictures', async t => {
  t.equal(read('fixtures/pictures/architecture.svg'), drawArchitecture())
})

/** Runs in the browser: text that is cut off, or that stands on other text. */
const misplaced = `(() => {
  const svg = document.querySelector('svg')
  const frame = svg.getBoundingClientRect()
  const texts = [...svg.querySelectorAll('text')].map(text => {
    const { left, right, top, bottom } = text.getBoundingClientRect()
    // A line is higher than its letters.
    return { said: text.textContent, left, right, top: top + 4, bottom: bottom - 4 }
  })
  const outside = texts.filter(
    ({ left, right }) => left < frame.left + 4 || right > frame.right - 4)
  const across = (one, other) => one.left < other.right && other.left < one.right &&
    one.top < other.bottom && other.top < one.bottom
  const twice = texts.filter(
    (one, index) => texts.slice(index + 1).some(other => across(one, other)))
  return { count: texts.length, found: [...outside, ...twice].map(({ said }) => said) }
})()`

const browserProgram = needProgram('chromium')

t.test('text is neither cut off nor written over other text', browserProgram.options, async t => {
  // As in browser.ts.
  const args = ['--no-sandbox']
  const browser = await chromium.launch({ executablePath: browserProgram.get(), args })
  t.teardown(() => browser.close())
  const page = await browser.newPage({ viewport: { width: 800, height: 900 } })
  await page.emulateMedia({ reducedMotion: 'reduce' })
  for (const path of drawings) {
    await page.setContent(read(path))
    const { count, found } = await page.evaluate<{ count: number; found: string[] }>(misplaced)
    t.ok(count > 10, `${path}: ${count} texts`)
    t.strictSame(found, [], path)
  }
})

t.test('text is escaped, in elements and in attributes', async t => {
  t.equal(words('a < b & "c"'), 'a &lt; b &amp; &quot;c&quot;')
  t.equal(element('a', { b: '">' }), '<a b="&quot;&gt;"/>')
  t.equal(text('<', { x: 1.26 }), '<text x="1.3">&lt;</text>')
  const title = 'one & two'
  const drawn = printDrawing({ width: 10, height: 20, title, description: '<', parts: [] })
  t.ok(isWellFormed(drawn))
  t.match(drawn, '<title id="title">one &amp; two</title>\n<desc id="desc">&lt;</desc>')
})

t.test('a bar is where its time is, and has the text that fits', async t => {
  const bar = { from: 250, to: 1000, kind: 'wrong', said: 'MASTER: wrong' } as const
  const bars = [
    { from: 0, to: 250, kind: 'primary', said: 'much too long to be said' },
    bar,
  ] as const
  const story = { title: '', description: '', wrong: 'wrong', marks: [{ at: 250, what: 'now' }] }
  const drawn = drawStory({
    ...story,
    groups: [{ name: 's1', lanes: [{ name: 'lane', bars }] }],
    table: { heads: ['one', 'other'], rows: [['what', '1', '2']] },
    lengthMs: 1000,
  })
  t.ok(isWellFormed(drawn))
  const rectangle = (look: string): readonly number[] => {
    const [, x, , width] =
      new RegExp(`<rect x="([\\d.]+)" y="([\\d.]+)" width="([\\d.]+)"[^>]* class="${look}"`).exec(
        drawn,
      ) ?? []
    return [Number(x), Number(width)]
  }
  const [[x = 0, width = 0], [wrongX = 0, wrongWidth = 0]] = [
    rectangle('primary'),
    rectangle('wrong'),
  ]
  t.ok(Math.abs(x + width - wrongX) < 0.2, 'bars follow each other')
  t.ok(Math.abs(wrongWidth / width - 3) < 0.02, 'and are as long as what they stand for')
  t.match(drawn, '>MASTER: wrong</text>')
  t.notMatch(drawn, 'much too long')
})

const printed = [
  { at: 100, line: 'Starting in /tmp/pg-replstatus-demo-run-1-2-abc4.' },
  { at: 9000, line: '12:00:00.000  s1       unavailable -> primary      it is ready & well' },
  { at: 9001, line: '12:00:00.001  haproxy  writers (5999): s1' },
]

t.test('a terminal shows lines one after another, breaks long ones, and ends with all', async t => {
  const show = { command: 'npm run it', printed, title: 'It' }
  const moving = drawTerminal({ ...show, isStill: false })
  t.ok(isWellFormed(moving))
  const [, cover = ''] = /@keyframes cover\{(.*)\}\n/.exec(moving) ?? []
  t.strictSame(
    cover.match(/(?<=translateY\()\d+/g)?.map(Number),
    [20, 40, 80, 100],
    'a line, then one more, one with its reason, and the last',
  )
  const times = cover.match(/[\d.]+(?=%)/g)?.map(Number) ?? []
  t.strictSame(
    times,
    times.toSorted((one, other) => one - other),
  )
  t.notMatch(drawTerminal({ ...show, isStill: true }), /animation|@keyframes/)
  t.strictSame(rowsOf(printed[0]?.line ?? ''), [
    { indent: 0, said: 'Starting in /tmp/pg-replstatus-demo-….', look: '' },
  ])
  const long = rowsOf(`12:00:00.000  demo     ${'word '.repeat(20)}     ${'why '.repeat(20)}`)
  t.ok(long.length > 3 && long.every(({ indent, said }) => indent + said.length <= 62))
})

const colours = [0x10, 0x20, 0x30, 0xff, 0x80, 0, 0, 0xff, 0x7f]

/** The same three pixels in each row, by each of the five filters that a row may have. */
const filteredRows = (): Buffer => {
  const before = (index: number): number => colours[index - 3] ?? 0
  const rows = [
    colours,
    colours.map((byte, index) => byte - before(index)),
    colours.map(() => 0),
    colours.map((byte, index) => byte - Math.floor((before(index) + byte) / 2)),
    colours.map(() => 0),
  ]
  return Buffer.from(rows.flatMap((row, filter) => [filter].concat(row.map(byte => byte & 255))))
}

const chunk = (type: string, body: Buffer): Buffer => {
  const length = Buffer.alloc(4)
  length.writeUInt32BE(body.length)
  // Its sum is not read.
  return Buffer.concat([length, Buffer.from(type, 'latin1'), body, Buffer.alloc(4)])
}

t.test('a screenshot of few colours keeps them', async t => {
  const header = Buffer.from([0, 0, 0, 3, 0, 0, 0, 5, 8, 2, 0, 0, 0])
  const body = [chunk('IHDR', header), chunk('IDAT', deflateSync(filteredRows()))]
  const made = withPalette(
    Buffer.concat([Buffer.alloc(8), ...body, chunk('IEND', Buffer.alloc(0))]),
  )
  const part = (type: string): Buffer => {
    const at = made.indexOf(type, 'latin1')
    return made.subarray(at + 4, at + 4 + made.readUInt32BE(at - 4))
  }
  const [palette, packed] = [part('PLTE'), inflateSync(part('IDAT'))]
  t.equal(palette.length, 9, 'three colours')
  for (let row = 0; row < 5; row += 1) {
    const [filter = 0, ...indexes] = packed.subarray(row * 4, row * 4 + 4)
    const found = indexes.flatMap(index => Array.from(palette.subarray(index * 3, index * 3 + 3)))
    t.strictSame([filter, ...found], [0, ...colours], `row ${row}`)
  }
  t.equal(made.readInt32BE(made.length - 4), 0xae426082 | 0, 'IEND has its known sum')
})
