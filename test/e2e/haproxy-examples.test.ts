/** Each example is taken by the versions of haproxy that it is for, and refused by older ones. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { isAtLeast, versionOf } from '../harness/haproxy-binaries.ts'
import { needProgram } from '../harness/needs.ts'
import { serverEnvironment } from '../harness/programs.ts'
import { readExample, repositoryRoot } from '../harness/repository.ts'

const haproxyProgram = needProgram('haproxy')
const folder = join(repositoryRoot(), 'fixtures')

/** The version that each is for, and what an older one says; those of all versions have none. */
const since: Readonly<Record<string, readonly [string, RegExp] | null>> = {
  'haproxy.cfg': null,
  'haproxy-agent.cfg': null,
  'haproxy-http.cfg': null,
  'haproxy-3.1.cfg': ['3.1', /unknown keyword 'init-state'/],
  'haproxy-3.4.cfg': ['3.4', /unknown keyword 'healthcheck'/],
}

t.test('each example has its version here', async t => {
  const examples = readdirSync(folder).filter(name => name.startsWith('haproxy'))
  t.strictSame(examples.toSorted(), Object.keys(since).toSorted())
})

t.test('the page shows the end of the newest one as it is', async t => {
  const page = readFileSync(join(folder, 'docs/haproxy.md'), 'utf8')
  const [, shown = ''] = /^```haproxy\n(.*?)^```$/ms.exec(page) ?? []
  t.ok(shown !== '' && readExample('haproxy-3.4.cfg').endsWith(shown), shown)
})

t.test('haproxy accepts the files for its version', haproxyProgram.options, async t => {
  const program = haproxyProgram.get()
  const version = await versionOf(program)
  t.comment(`haproxy ${version}`)
  for (const [name, from] of Object.entries(since)) {
    const { status, stderr } = spawnSync(program, ['-c', '-f', join(folder, name)], {
      encoding: 'utf8',
      env: serverEnvironment(),
    })
    if (from === null || isAtLeast(version, from[0])) {
      t.strictSame({ status, stderr }, { status: 0, stderr: '' }, name)
    } else {
      t.equal(status, 1, name)
      t.match(stderr, from[1])
    }
  }
})
