import t from 'tap'
import { clusterPage } from '../../../src/facts/page/cluster-page.ts'
import { script } from '../../../src/facts/page/script.ts'
import { style } from '../../../src/facts/page/style.ts'
import type { ClusterMember } from '../../../src/facts/report/cluster-members.ts'
import type { SystemIdentifier } from '../../../src/facts/units.ts'
import { clusterMember } from '../../harness/cluster-members.ts'
import { noon } from '../../harness/evidence.ts'

const standby: ClusterMember = clusterMember({
  name: 'db2',
  role: 'replica',
  state: 'streaming',
  address: { secure: true, host: '::1', port: 8009 },
  lag: 24_576,
  answer: 'standby',
  ageMs: 412,
})
const silent: ClusterMember = clusterMember({
  name: 'db3',
  role: 'unknown',
  state: 'unknown',
  port: null,
  timeline: null,
  lag: 'unknown',
  answer: null,
  rule: null,
  because: 'ECONNREFUSED',
  ageMs: null,
  hazards: null,
})
const replaced = clusterMember({
  name: 'db4',
  role: 'unavailable',
  answer: 'unavailable',
  rule: 'superseded',
  because: 'another server was promoted',
})

const scope = 7395001122334455667n as SystemIdentifier
const pageOf = (...members: ClusterMember[]): string =>
  clusterPage({ scope, address: clusterMember().address, members }, noon)

/** What a person reads, with a blank for each tag. */
const readable = (page: string): string =>
  page
    .replace(/<(style|script)>[^]*?<\/\1>/g, '')
    .replace(/<[^>]*>/g, ' ')
    .replace(/\s+/g, ' ')

const partOf = (page: string, name: string): string =>
  new RegExp(`<${name}\\b[^>]*>(.*?)</${name}>`, 's').exec(page)?.[1] ?? ''

t.test('the primary comes first', async t => {
  const twin = clusterMember({ name: 'db5' })
  for (const [members, headline, isWell] of [
    [[clusterMember(), standby], 'Primary: db1', true],
    [[clusterMember(), standby, silent], 'Primary: db1', true],
    [[clusterMember(), replaced], 'Primary: db1', false],
    [[clusterMember(), twin], '2 primaries: db1, db5', false],
    [[standby], 'No primary', false],
    [[standby, silent], 'No primary known', false],
  ] as const) {
    const page = pageOf(...members)
    t.equal(partOf(page, 'h1'), headline)
    t.equal(partOf(page, 'title'), `${isWell ? '●' : '▲'} ${headline}`)
    t.equal(page.includes('<h1 class="trouble">'), !isWell, headline)
  }
})

t.test('each member is shown with everything that is known of it', async t => {
  const text = readable(pageOf(clusterMember(), standby, silent, replaced))
  t.match(text, ' db1 port 5432 ● primary running 1 - now ')
  t.match(text, ' db2 port 5432 ○ standby streaming 1 24.0 kB 412 ms ago ')
  t.match(text, ' db3 ? silent unknown - unknown never ECONNREFUSED ')
  t.match(text, ' ▲ unavailable running 1 - now superseded: another server was promoted ')
  t.match(
    text,
    ' Cluster 7395001122334455667, as reported by db1:8008 at 2026-01-01 12:00:00.000 UTC ',
  )
  t.notMatch(text, '--peer')
  t.match(pageOf(standby), 'href="https://[::1]:8009/ui"')
})

t.test('what is wrong is shown', async t => {
  t.match(readable(pageOf(clusterMember(), replaced)), ' ▲ Superseded: db4 ')
  const twin = clusterMember({ hazards: ['another primary', 'superseded'] })
  const text = readable(pageOf(twin, silent, { ...silent, name: 'db4' }))
  t.match(
    text,
    ' ▲ Superseded: db1 ▲ Another primary is reported by db1 ? 2 of 3 members do not answer: db3, db4. ',
  )
  t.match(text, ' ▲ Warning: another primary ▲ Warning: superseded ')
})

t.test('a daemon without peers, and one before its first check', async t => {
  t.match(readable(pageOf(clusterMember())), '--peer is not set.')
  const page = clusterPage({ scope: null, address: clusterMember().address, members: [] }, noon)
  t.match(readable(page), ' Cluster, as reported by db1:8008 at ')
})

t.test('text of others is no markup', async t => {
  const evil = '<script>alert(1)</script>"\'&'
  const page = pageOf({ ...silent, name: evil, because: evil, state: evil, hazards: [evil] })
  t.equal(page.match(/<script/g)?.length, 1)
  t.notMatch(page, evil)
})

t.test('one document, which refers to no other', async t => {
  const page = pageOf(clusterMember())
  t.match(page, /^<!doctype html>\n<html lang="en"><head><meta charset="utf-8">/)
  t.equal(partOf(page, 'style'), style)
  t.equal(partOf(page, 'script'), script)
  for (const text of [style, script]) t.notMatch(text, /<\/|https?:|@import|url\(/)
  t.notMatch(page, / src=| style=| on[a-z]+=/)
})
