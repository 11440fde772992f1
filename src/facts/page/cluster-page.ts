/**
 * The members of a cluster, for people who look at them in a browser: `GET /ui`.
 *
 * It is one document without a reference to another file, and shows what the daemon knew when it
 * was requested. Times are UTC, as in the log.
 */
import { hostAndPort, type Cluster, type ClusterMember } from '../report/cluster-members.ts'
import { troublesOf, warningsOf } from '../report/cluster-view.ts'
import { timeText } from '../report/snapshot-json.ts'
import type { UnixMs } from '../units.ts'
import { element, htmlDocument, rawElement, voidElement, type Content, type Html } from './html.ts'
import { axis, key, lane, listChanges, spanFor } from './lanes.ts'
import { memberTable } from './member-table.ts'
import { script } from './script.ts'
import { style } from './style.ts'

/** Without scripts, in seconds. */
const reloadSeconds = 5
const changesShown = 20

export const clusterPage = (cluster: Cluster, now: UnixMs): string => {
  const { members } = cluster
  return htmlDocument(
    'en',
    element(
      'head',
      {},
      voidElement('meta', { charset: 'utf-8' }),
      voidElement('meta', { name: 'viewport', content: 'width=device-width' }),
      element('title', {}, `${isWell(members) ? '●' : '▲'} ${headlineOf(members)}`),
      // Or the browser requests /favicon.ico.
      voidElement('link', { rel: 'icon', href: 'data:,' }),
      element(
        'noscript',
        {},
        voidElement('meta', { 'http-equiv': 'refresh', content: reloadSeconds }),
      ),
      rawElement('style', style),
    ),
    element(
      'body',
      {},
      element('p', { id: 'notice', role: 'status', hidden: '' }),
      element(
        'main',
        {},
        ...summary(cluster, now),
        memberTable(members),
        ...recentChanges(members, now),
        links(),
      ),
      rawElement('script', script),
    ),
  )
}

const headlineOf = (members: readonly ClusterMember[]): string => {
  const leaders = namesOf(members, 'primary')
  if (leaders.length === 1) return `Primary: ${leaders.join()}`
  if (leaders.length > 1) return `${leaders.length} primaries: ${leaders.join(', ')}`
  // One that is silent may be the primary.
  return namesOf(members, null).length > 0 ? 'No primary known' : 'No primary'
}

const namesOf = (
  members: readonly ClusterMember[],
  wanted: ClusterMember['answer'],
): readonly string[] => members.filter(({ answer }) => answer === wanted).map(({ name }) => name)

const isWell = (members: readonly ClusterMember[]): boolean => troublesOf(members).length === 0

const capitalized = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1)

/** The answer to the first question at night. */
const summary = ({ scope, address, members }: Cluster, now: UnixMs): readonly Content[] => {
  const silent = namesOf(members, null)
  return [
    element('h1', { class: isWell(members) ? null : 'trouble' }, headlineOf(members)),
    warningsOf(members).map(warning =>
      element('p', { class: 'trouble' }, `▲ ${capitalized(warning)}`),
    ),
    silent.length === 0
      ? null
      : element(
          'p',
          { class: 'trouble' },
          `? ${silent.length} of ${members.length} members do not answer: ${silent.join(', ')}. `,
          'Their current state is unknown.',
        ),
    members.length > 1
      ? null
      : element('p', {}, 'This daemon has no other member: --peer is not set.'),
    element(
      'p',
      { class: 'quiet' },
      scope === null ? 'Cluster' : `Cluster ${scope}`,
      `, as reported by ${hostAndPort(address)} at `,
      timeOf(now),
    ),
  ]
}

const timeOf = (at: UnixMs): Html => element('time', {}, timeText(at))

const recentChanges = (members: readonly ClusterMember[], now: UnixMs): readonly Content[] => {
  const span = spanFor(members, now)
  return [
    element('h2', {}, 'Last changes'),
    members.map(member => lane(member, { span, now })),
    axis(span),
    key(),
    listChanges(members, { timeOf, most: changesShown }),
    element('p', { class: 'quiet' }, 'As seen by this daemon since it was started.'),
  ]
}

const links = (): Html =>
  element(
    'footer',
    {},
    ['/status', '/history', '/cluster', '/metrics'].map(path => element('a', { href: path }, path)),
  )
