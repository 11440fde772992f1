import assert from 'node:assert'
import * as fc from 'fast-check'
import t from 'tap'
import type { Access } from '../../../src/serve/http/http-access.ts'
import {
  routeRequest,
  type HttpAnswer,
  type HttpContent,
  type HttpRequest,
} from '../../../src/serve/http/http-routes.ts'
import type { Availability } from '../../../src/facts/decide/verdict.ts'
import { wireWords } from '../../../src/serve/role/reply.ts'
import { anyText, assertPrintable, textOf } from '../../harness/foreign-text.ts'

const primary: Availability = { kind: 'available', role: 'primary' }
const standby: Availability = { kind: 'available', role: 'standby' }
const unavailable: Availability = { kind: 'unavailable' }
const all = [primary, standby, unavailable]

const knowing = (availability: Availability, changes: Partial<HttpContent> = {}): HttpContent => ({
  availability,
  replication: () => 'unknown',
  snapshot: () => '{"é": 1}\n',
  metrics: () => 'up 1\n',
  history: () => Buffer.from('{}\n'),
  lag: () => null,
  member: () => '{"m": 1}\n',
  cluster: () => '{"c": 1}\n',
  page: () => '<p>é</p>\n',
  ...changes,
})
const open: Access = { healthOnly: false, ownNames: [] }
const request = (target: string, method = 'GET') => ({
  method,
  target,
  accept: null as string | null,
  host: null,
  certificateFault: null,
})
const answerHttp = (request: HttpRequest, content: HttpContent, access: Access): HttpAnswer =>
  routeRequest(request, access).answer(content)
const needsAll = (request: HttpRequest, access: Access): boolean =>
  routeRequest(request, access).needsAll
const ask = (target: string, knowledge: HttpContent, method = 'GET') =>
  answerHttp(request(target, method), knowledge, open)

/** Status codes for a primary, a standby and neither of them. */
const codes = (target: string, method = 'GET') =>
  all.map(availability => ask(target, knowing(availability), method).statusCode)

const checks = {
  '/': [200, 503, 503],
  '/primary': [200, 503, 503],
  '/read-write': [200, 503, 503],
  '/master': [200, 503, 503],
  '/leader': [200, 503, 503],
  '/replica': [503, 200, 503],
  '/read-only': [200, 200, 503],
  '/health': [200, 200, 503],
  '/readiness': [200, 200, 503],
  '/liveness': [200, 200, 200],
}

t.test('each path asks for its roles, by each of three methods', async t => {
  for (const [path, expected] of Object.entries(checks)) {
    for (const method of ['GET', 'HEAD', 'OPTIONS']) {
      t.strictSame(codes(path, method), expected, `${method} ${path}`)
    }
  }
})

t.test('the body is the word of the wire and a line feed, whatever the request', async t => {
  for (const path of Object.keys(checks)) {
    const bodies = all.map(availability => ask(path, knowing(availability)).body)
    const { primary, standby, unavailable } = wireWords
    t.strictSame(bodies, [`${primary}\n`, `${standby}\n`, `${unavailable}\n`], path)
  }
})

t.test('every answer has its length, ends the connection and is not cached', async t => {
  t.strictSame(ask('/', knowing(primary)), {
    statusCode: 200,
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      'Content-Length': 7,
      'Cache-Control': 'no-store',
      Connection: 'close',
    },
    body: `${wireWords.primary}\n`,
  })
})

t.test('HEAD has the length of the answer without it, OPTIONS has neither', async t => {
  const length = { 'Content-Length': 7 }
  t.match(ask('/', knowing(primary), 'HEAD'), { statusCode: 200, headers: length, body: '' })
  const none = { 'Content-Length': 0 }
  t.match(ask('/', knowing(primary), 'OPTIONS'), { statusCode: 200, headers: none, body: '' })
})

t.test('a query changes nothing, unless it is one of the filters for standbys', async t => {
  for (const [path, expected] of Object.entries(checks)) {
    t.strictSame(codes(`${path}?`), expected)
    t.strictSame(codes(`${path}?x=1&%zz=%&&=?#y`), expected)
  }
})

t.test('a standby that has to stream is asked for that', async t => {
  const code = (target: string, replication: ReturnType<HttpContent['replication']>) =>
    ask(target, knowing(standby, { replication: () => replication })).statusCode
  for (const path of ['/replica', '/read-only', '/readiness']) {
    const target = `${path}?replication_state=streaming`
    t.equal(code(target, 'streaming'), 200)
    t.equal(code(target, 'not connected'), 503)
    t.equal(code(target, 'unknown'), 503)
    t.equal(code(`${path}?replication_state=`, 'unknown'), 200)
    for (const other of ['unknown', 'not+streaming', 'in%20archive%20recovery', 'Streaming']) {
      t.equal(code(`${path}?replication_state=${other}`, 'unknown'), 503, other)
      t.equal(code(`${path}?replication_state=${other}`, 'not connected'), 503, other)
    }
  }
  for (const availability of [primary, unavailable]) {
    const target = '/replica?replication_state=streaming'
    t.equal(ask(target, knowing(availability, { replication: () => 'streaming' })).statusCode, 503)
  }
})

t.test('a lag is compared with the most that is allowed', async t => {
  const code = (target: string, lag: number | null) =>
    ask(target, knowing(standby, { lag: () => lag })).statusCode
  const mb = 1024 ** 2
  const sizes: readonly (readonly [text: string, bytes: number])[] = [
    ['0', 0],
    ['16', 16],
    ['16B', 16],
    ['16kB', 16 * 1024],
    ['16%20kB', 16 * 1024],
    ['1.5MB', 1.5 * mb],
    ['10MB', 10 * mb],
    ['1GB', 1024 * mb],
    ['2TB', 2 * mb * mb],
  ]
  for (const path of ['/replica', '/read-only', '/readiness']) {
    for (const [text, bytes] of sizes) {
      t.equal(code(`${path}?lag=${text}`, bytes), 200, text)
      t.equal(code(`${path}?lag=${text}`, bytes + 1), 503, text)
      t.equal(code(`${path}?lag=${text}`, null), 503, text)
    }
    for (const text of ['-1', '10mb', '10M', '1 0', 'MB', '1,5MB', '10MBs', 'NaN']) {
      t.equal(code(`${path}?lag=${text}`, 0), 503, text)
    }
    t.equal(code(`${path}?lag=`, null), 200)
  }
  t.equal(ask('/replica?lag=1', knowing(primary, { lag: () => 0 })).statusCode, 503)
})

t.test('a filter that cannot be judged is met by no standby, and by a primary', async t => {
  for (const filter of ['lag=10MB', 'x=1&lag=0', 'tag_zone=a', 'replication_state=x']) {
    t.strictSame(codes(`/replica?${filter}`), [503, 503, 503], filter)
    t.strictSame(codes(`/read-only?${filter}`), [200, 503, 503], filter)
    t.strictSame(codes(`/readiness?${filter}`), [200, 503, 503], filter)
    t.strictSame(codes(`/health?${filter}`), [200, 200, 503], filter)
  }
})

t.test('a whole URL is a target too', async t => {
  t.strictSame(codes('http://db1:8008/replica?x'), checks['/replica'])
  t.strictSame(codes('HTTPS://[::1]/primary'), checks['/primary'])
  t.strictSame(codes('http://db1:8008'), checks['/'])
  t.strictSame(codes('http://db1?x=/replica'), checks['/'])
})

t.test('the status is the document as it is, and is there whatever the role', async t => {
  for (const availability of all) {
    t.match(ask('/status', knowing(availability)), {
      statusCode: 200,
      headers: { 'Content-Type': 'application/json', 'Content-Length': 10 },
      body: '{"é": 1}\n',
    })
  }
  t.match(ask('/status', knowing(unavailable, { snapshot: () => null })), {
    statusCode: 503,
    headers: { 'Content-Type': 'text/plain; charset=utf-8' },
    body: `${wireWords.unavailable}\n`,
  })
})

t.test('so are the metrics', async t => {
  for (const availability of all) {
    t.match(ask('/metrics', knowing(availability)), {
      statusCode: 200,
      headers: { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8', 'Content-Length': 5 },
      body: 'up 1\n',
    })
  }
})

t.test('more is read only for requests of the position of a server', async t => {
  const asks = (target: string) => needsAll(request(target), open)
  const filtered = ['/replica?replication_state=streaming', '/replica?lag=1']
  for (const target of ['/status', '/metrics?x', '/member', '/cluster', '/ui', ...filtered])
    t.equal(asks(target), true, target)
  for (const target of [...Object.keys(checks), '/history', '/replica?tag_x=1', '/statusx'])
    t.equal(asks(target), false, target)
})

t.test('checks are for all clients, documents for those that have access', async t => {
  const closed: Access = { ...open, healthOnly: true }
  const never = (): never => t.fail('made') as never
  const [snapshot, metrics, history] = [never, never, never]
  const made = { snapshot, metrics, history, member: never, cluster: never, page: never }
  const knowledge = knowing(standby, made)
  const stranger = {
    ...request(''),
    host: 'rebound.example.org',
    certificateFault: 'none was sent',
  }
  for (const path of Object.keys(checks)) {
    const answers = [open, closed].map(access =>
      answerHttp({ ...stranger, target: path }, knowing(standby), access),
    )
    for (const answer of answers) t.strictSame(answer, ask(path, knowing(standby)), path)
  }
  for (const path of ['/status', '/metrics', '/history', '/member', '/cluster', '/ui']) {
    const bare = answerHttp(request(path), knowledge, closed)
    t.match(
      bare,
      { statusCode: 403, headers: { 'Content-Type': 'text/plain; charset=utf-8' } },
      path,
    )
    const { certificateFault } = stranger
    for (const one of [{ host: stranger.host }, { certificateFault }]) {
      const { statusCode, body } = answerHttp({ ...request(path), ...one }, knowledge, open)
      t.ok([403, 421].includes(statusCode), path)
      for (const word of Object.values(wireWords)) t.notMatch(body, word)
    }
    t.equal(needsAll(request(path), closed), false)
    t.equal(needsAll({ ...stranger, target: path }, open), false)
  }
  t.equal(needsAll(request('/replica?replication_state=streaming'), closed), true)
})

t.test('what other members ask for is there whatever the role', async t => {
  for (const availability of all) {
    t.match(ask('/cluster', knowing(availability)), {
      statusCode: 200,
      headers: { 'Content-Type': 'application/json' },
      body: '{"c": 1}\n',
    })
    t.match(ask('/member', knowing(availability)), {
      statusCode: 200,
      headers: { 'Content-Type': 'application/json', 'Content-Length': 9 },
      body: '{"m": 1}\n',
    })
  }
})

t.test('the history is there whatever the role', async t => {
  for (const availability of all) {
    t.match(ask('/history', knowing(availability)), { statusCode: 200, body: Buffer.from('{}\n') })
  }
})

t.test('documents are made on request only', async () => {
  const never = (): never => {
    throw new Error('made')
  }
  const knowledge = knowing(standby, { replication: never, snapshot: never, metrics: never })
  for (const path of [...Object.keys(checks), '/nowhere']) ask(path, knowledge)
})

t.test('more slashes in front are no other path', async t => {
  t.strictSame(codes('//primary'), codes('/primary'))
  t.strictSame(codes('http://db1:8008//replica?lag='), codes('/replica'))
  t.strictSame(codes('//'), codes('/'))
})

t.test('slashes behind are no other path either', async t => {
  const paths = [...Object.keys(checks), '/status', '/metrics', '/history', '/cluster']
  for (const path of paths) {
    t.strictSame(codes(`${path}/`), codes(path), path)
    t.strictSame(codes(`http://db1:8008/${path}//?replication_state=`), codes(path), path)
  }
  t.ok(needsAll(request('/status/'), open))
  t.notOk(needsAll(request('/primary/'), open))
})

t.test('other paths are 404, and contain no word of the wire', async t => {
  const paths = [
    '/x',
    '/Primary',
    '/primary/x',
    '/primary/ ',
    'primary/',
    '*',
    'x',
    '/%70rimary',
    '/__proto__',
    '/#',
  ]
  for (const path of [...paths, '/patroni', '/config', '/sync', '/primary;x', '/primary#x']) {
    t.strictSame(codes(path), [404, 404, 404], path)
    t.strictSame(codes(path, 'POST'), [404, 404, 404], path)
    const { body } = ask(path, knowing(primary))
    for (const word of Object.values(wireWords)) t.notMatch(body, word)
  }
})

t.test('the answer to another method lists the allowed ones', async t => {
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH', 'TRACE', 'get', '']) {
    const answer = ask('/primary', knowing(primary), method)
    t.match(answer, {
      statusCode: 405,
      headers: { Allow: 'GET, HEAD, OPTIONS', Connection: 'close' },
    })
    t.equal(answer.headers['Content-Length'], answer.body.length)
    for (const word of Object.values(wireWords)) t.notMatch(answer.body, word)
  }
})

t.test('whatever is asked, nothing of it comes back', async t => {
  const property = fc.property(anyText, anyText, (method, text) => {
    for (const target of [text, `/${text}`, `/primary?${text}`]) {
      const { headers, body } = ask(target, knowing(primary), method)
      for (const value of Object.values(headers)) assert.match(String(value), /^[ -~]+$/)
      assert.ok(typeof body === 'string')
      assertPrintable(body)
      assert.ok(body.length < 30)
    }
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 1000 }))
})

t.test('whatever the request, the wrong role never gets 200', async () => {
  const pieces = [...Object.keys(checks), '?', '&', '=', 'replication_state', 'streaming', 'lag']
  const target = fc.oneof(textOf(...pieces, 'http://h', 'tag_', '%', '+'), anyText)
  const method = fc.oneof(fc.constantFrom('GET', 'HEAD', 'OPTIONS', 'POST'), anyText)
  const forPrimaries = /^(?:https?:\/\/[^/?]*)?(?:\/|\/primary|\/read-write|\/master|\/leader)?$/i
  fc.assert(
    fc.property(method, target, (method, target) => {
      const [path = ''] = target.split('?')
      for (const availability of [standby, unavailable]) {
        const { statusCode } = ask(target, knowing(availability), method)
        if (statusCode === 200 && forPrimaries.test(path)) return false
      }
      return [200, 404, 405, 503].includes(ask(target, knowing(primary), method).statusCode)
    }),
    { numRuns: 2000 },
  )
})

t.test('a browser gets a page, with the status code of the check at the top', async t => {
  const accept = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8'
  const browse = (target: string, availability: Availability, changes = {}) =>
    answerHttp({ ...request(target), accept, ...changes }, knowing(availability), open)
  const page = { headers: { 'Content-Type': 'text/html; charset=utf-8' }, body: '<p>é</p>\n' }
  for (const availability of all) {
    t.match(browse('/ui', availability), { statusCode: 200, ...page })
    const { statusCode } = ask('/', knowing(availability))
    t.match(browse('/', availability), { statusCode, ...page })
    // As for any other client.
    for (const target of Object.keys(checks).slice(1))
      t.strictSame(browse(target, availability), ask(target, knowing(availability)), target)
  }
  t.match(browse('/', primary, { method: 'HEAD' }), {
    headers: { 'Content-Length': 10, 'Content-Security-Policy': /^default-src 'none'; / },
    body: '',
  })
  t.ok(needsAll({ ...request('/'), accept }, open))
})

t.test('a client that is no browser, or has no access to pages, gets the check', async t => {
  const word = ask('/', knowing(standby))
  const closed: Access = { ...open, healthOnly: true }
  for (const accept of ['*/*', '', 'application/json', 'text/htmlx', 'text/plain, */*;q=0.5'])
    t.strictSame(answerHttp({ ...request('/'), accept }, knowing(standby), open), word, accept)
  for (const accept of ['text/html', 'text/plain, Text/HTML;q=0.5']) {
    const browser = { ...request('/'), accept }
    t.strictSame(answerHttp(browser, knowing(standby), closed), word, accept)
    t.notSame(answerHttp(browser, knowing(standby), open), word, accept)
    t.equal(needsAll(browser, closed), false)
  }
})
