import * as fc from 'fast-check'
import t from 'tap'
import { element, htmlDocument, rawElement, voidElement } from '../../../src/facts/page/html.ts'

t.test('elements, attributes and content', async t => {
  const link = element('a', { href: '/x?a=1&b=2', title: null }, 'text', 1, null, ['<', '>'])
  t.equal(link.markup, '<a href="/x?a=1&#38;b=2">text1&#60;&#62;</a>')
  t.equal(element('p', {}, link, [[link]]).markup, `<p>${link.markup}${link.markup}</p>`)
  t.equal(voidElement('meta', { charset: 'utf-8' }).markup, '<meta charset="utf-8">')
  t.equal(rawElement('style', 'a > b {}').markup, '<style>a > b {}</style>')
  t.equal(htmlDocument('en', element('p', {})), '<!doctype html>\n<html lang="en"><p></p></html>\n')
})

t.test('no text becomes markup, and each can be read back', async () => {
  const unescape = (text: string): string =>
    text.replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
  fc.assert(
    fc.property(fc.string(), fc.string(), (text, value) => {
      const { markup } = element('p', { title: value }, text)
      const [, attribute = '', content = ''] =
        /^<p title="([^"<>']*)">([^"<>']*)<\/p>$/su.exec(markup) ?? []
      return unescape(attribute) === value && unescape(content) === text
    }),
  )
})
