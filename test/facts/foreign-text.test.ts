import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import { plainText, quoteText } from '../../src/facts/foreign-text.ts'
import { anyText, assertOneLine } from '../harness/foreign-text.ts'

t.test('quoted, control characters are spelt out', async t => {
  t.equal(quoteText('it is "sshd"\n'), '"it is \\"sshd\\"\\n"')
  t.equal(quoteText('\x1b[2J'), '"\\u001b[2J"')
  t.equal(quoteText('\x7f\x9b2J'), '"\\u007f\\u009b2J"')
  t.equal(quoteText('one\u2028two'), '"one\\u2028two"')
  t.equal(quoteText('Größe'), '"Größe"')
})

t.test('plain, they are dots', async t => {
  t.equal(plainText('sshd'), 'sshd')
  t.equal(plainText('\x1b[2J\x9b2J\r\n'), '.[2J.2J..')
  t.equal(plainText('Größe'), 'Größe')
})

t.test('of a long text the beginning is left', async t => {
  t.equal(plainText('x'.repeat(200)), 'x'.repeat(200))
  t.equal(plainText('x'.repeat(201)), `${'x'.repeat(200)}...`)
})

t.test('whatever others write stays in its line', async t => {
  const property = fc.property(anyText, text => {
    assertOneLine(quoteText(text))
    assertOneLine(`${plainText(text)}.`)
    assert.equal(JSON.parse(quoteText(text)), text, 'and nothing of it is lost in quotes')
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})
