/**
 * Each HAProxy of another release of Debian: runs the tests that use HAProxy, and those of what is
 * new in it. What cannot be had is told loudly, and is no failure: Debian drops versions from its
 * suites.
 *
 *   npm run haproxies
 */
import { join } from 'node:path'
import { runCompiledTests, type CompiledTest } from '../harness/compiled-tests.ts'
import {
  fetchHaproxy,
  haproxyBinaries,
  isAtLeast,
  versionOf,
  type Suite,
} from '../harness/haproxy-binaries.ts'

/** The release that a suite is expected to have. */
const suites: readonly (Suite & { readonly release: string })[] = [
  { release: '3.0', name: 'trixie' },
  { release: '3.2', name: 'forky' },
  { release: '3.4', name: 'experimental', base: 'sid' },
]

/** With the version that each needs. */
const tests: readonly (readonly [string, string])[] = [
  ['e2e/haproxy-examples.test.js', '0'],
  ['e2e/haproxy.test.js', '0'],
  ['e2e/haproxy-directives.test.js', '0'],
  ['e2e/haproxy-sessions.test.js', '0'],
  ['e2e/agent-check.test.js', '0'],
  ['e2e/old-primary.test.js', '0'],
  ['haproxies/init-state.test.js', '3.1'],
  ['haproxies/healthcheck.test.js', '3.4'],
]

const print = (text: string): void => void process.stdout.write(`${text}\n`)

const notTested = ({ release, name }: (typeof suites)[number], why: string): void =>
  print(`NOT TESTED: HAProxy ${release} of Debian's ${name}: ${why}`)

const howToGet =
  'It needs apt-get with a mirror of Debian in its sources and its lists (apt-get update), the ' +
  'package debian-archive-keyring, and a suite that still has this version.'

type Run = CompiledTest & { readonly of: string }

/** None if it cannot be had. */
const runsWith = async (suite: (typeof suites)[number]): Promise<readonly Run[]> => {
  let folder
  try {
    folder = await fetchHaproxy(suite)
  } catch (failure) {
    // apt's own words are in it twice.
    const why = [...new Set(String(failure).split('\n'))].join('\n')
    notTested(suite, `${why}\n${howToGet}`)
    return []
  }
  const binaries = await haproxyBinaries(folder)
  const version = await versionOf(join(binaries, 'haproxy'))
  if (!version.startsWith(`${suite.release}.`)) {
    notTested(suite, `there is ${version}, which is tested instead`)
  }
  return tests
    .filter(([, least]) => isAtLeast(version, least))
    .map(([test]) => ({ of: `HAProxy ${version} (${suite.name})`, binaries, test }))
}

const runs: Run[] = []
for (const suite of suites) runs.push(...(await runsWith(suite)))
const failed = await runCompiledTests(runs, ({ test, of }, said) =>
  print(`${test} failed on ${of}: ${said}`),
)
for (const of of new Set(runs.map(run => run.of))) {
  const [all, failures] = [runs, failed].map(list => list.filter(run => run.of === of).length)
  print(`${of}: ${(all ?? 0) - (failures ?? 0)} of ${all} passed`)
}
process.exitCode = failed.length === 0 ? 0 : 1
