/**
 * haproxy with the file that the README shows, in front of three real servers: whoever connects
 * reaches the server that the port is for, before and after a promotion.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { examplePorts } from '../harness/haproxy.ts'
import { playHaproxyStory } from '../harness/haproxy-story.ts'
import { needProgram } from '../harness/needs.ts'
import { readExample, repositoryRoot } from '../harness/repository.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const haproxyProgram = needProgram('haproxy')
const config = readExample('haproxy.cfg')

t.test('the example names each port that the README mentions', t => {
  const { servers, probes, write, read } = examplePorts
  const named = new Set(config.match(/\b\d{4}\b/g)?.map(Number))
  t.strictSame(named, new Set([write, ...servers, ...probes, read]))
  t.end()
})

t.test('the README shows the example as it is', t => {
  const readme = readFileSync(join(repositoryRoot(), 'README.md'), 'utf8')
  const [, shown] = /^```haproxy\n(.*?)^```$/ms.exec(readme) ?? []
  t.equal(shown, config)
  t.end()
})

const name = 'haproxy leads writers to the primary and readers to the standbys'
t.test(name, haproxyProgram.options, async t => {
  await playHaproxyStory(t, { program: haproxyProgram.get(), config })
})
