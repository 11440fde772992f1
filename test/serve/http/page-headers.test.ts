import { createHash } from 'node:crypto'
import t from 'tap'
import { script } from '../../../src/facts/page/script.ts'
import { style } from '../../../src/facts/page/style.ts'
import { pageHeaders } from '../../../src/serve/http/page-headers.ts'

t.test('only our own style and script are allowed', async t => {
  const headers = pageHeaders()
  t.equal(pageHeaders(), headers, 'made once')
  const policy = headers['Content-Security-Policy'] ?? ''
  const allowed = Array.from(policy.matchAll(/'sha256-([^']+)'/g), ([, hash]) => hash)
  const hashes = [script, style].map(text => createHash('sha256').update(text).digest('base64'))
  t.strictSame(allowed, hashes)
  t.match(policy, /^default-src 'none'; script-src '[^' ]+'; style-src '[^' ]+'; /)
  t.notMatch(policy, /unsafe|\*|https?:/)
})
