import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import { plainText, quoteText, visibleLines, visibleText } from '../../src/facts/visible-text.ts'
import {
  anyText,
  assertOneLine,
  assertPrintable,
  hostileCharacters,
} from '../harness/foreign-text.ts'

t.test('what is unprintable is spelt as in JSON, wherever it is printed', async t => {
  const spelt: Readonly<Record<string, string>> = {
    '\x1b[2J': String.raw`\u001b[2J`,
    '\x7f\x9b2J': String.raw`\u007f\u009b2J`,
    'one\u2028two\u2029': String.raw`one\u2028two\u2029`,
    '\u202egpj.exe': String.raw`\u202egpj.exe`,
    '\u{e0041}': String.raw`\udb40\udc41`,
    '\ud800': String.raw`\ud800`,
  }
  for (const [text, visible] of Object.entries(spelt)) {
    t.equal(visibleText(text), visible)
    t.equal(plainText(text), visible)
    t.equal(quoteText(text), `"${visible}"`)
  }
  for (const character of hostileCharacters) t.match(visibleText(character), /^(?:\\u[\da-f]{4})+$/)
})

t.test('what can be printed stays', async t => {
  for (const text of ['sshd', 'Größe', '日本', '😀', 'a\\u001b'])
    for (const made of [visibleText(text), plainText(text)]) t.equal(made, text)
})

t.test('in quotes it is as in JSON', async t => {
  t.equal(quoteText('it is "sshd"\n'), '"it is \\"sshd\\"\\n"')
})

t.test('lines stay lines where there may be several', async t => {
  t.equal(visibleLines('a\x9b\n\n\tb\r\n'), 'a\\u009b\n\n\\u0009b\\u000d\n')
})

t.test('of a long text the beginning is left', async t => {
  t.equal(plainText('x'.repeat(200)), 'x'.repeat(200))
  t.equal(plainText('x'.repeat(201)), `${'x'.repeat(200)}...`)
  t.equal(plainText('\x1b'.repeat(201)), `${String.raw`\u001b`.repeat(33)}\\u...`)
  t.equal(plainText(`\x1b${'😀'.repeat(97)}x`), `\\u001b${'😀'.repeat(97)}...`)
  t.equal(plainText(`\x1bx${'😀'.repeat(97)}`), `\\u001bx${'😀'.repeat(96)}...`)
})

t.test('whatever others write stays in its line', async t => {
  const property = fc.property(anyText, text => {
    assertOneLine(quoteText(text))
    assertOneLine(`${plainText(text)}.`)
    assertPrintable(visibleLines(`${text}\n`))
    assert.equal(JSON.parse(quoteText(text)), text, 'and nothing of it is lost in quotes')
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})
