/**
 * The checks of fixtures/consul-*.json, run beside real servers, and judged as Consul's manual
 * says: a status of 2xx or an exit code of 0 is passing, 429 or 1 a warning, everything else
 * critical. There is no Consul here; an agent 1.8.7 said the same of each.
 */
import t, { type Test } from 'tap'
import { startHttpDaemon } from '../harness/http-daemon.ts'
import { installedEnvironment, replaceEach } from '../harness/recipes.ts'
import { runCommand, startServers } from '../harness/recipes.ts'
import { readExample } from '../harness/repository.ts'

// The first run fetches the server.
t.setTimeout(300_000)

type Check = { readonly http: string } | { readonly args: readonly string[] }
type Definitions = {
  readonly services: readonly { readonly name: string; readonly checks: readonly Check[] }[]
}
type Health = 'passing' | 'warning' | 'critical'

const run = async (check: Check, environment: NodeJS.ProcessEnv): Promise<Health> => {
  if ('http' in check) {
    const { status } = await fetch(check.http)
    if (status >= 200 && status < 300) return 'passing'
    return status === 429 ? 'warning' : 'critical'
  }
  const { code } = await runCommand(check.args, { environment })
  if (code === 0) return 'passing'
  return code === 1 ? 'warning' : 'critical'
}

/** The definitions of all files, each with the health of its services. */
const healthOf = async (
  files: Readonly<Record<string, string>>,
  environment: NodeJS.ProcessEnv,
) => {
  const found: Record<string, Health> = {}
  for (const [file, text] of Object.entries(files)) {
    for (const { name, checks } of (JSON.parse(text) as Definitions).services) {
      for (const check of checks) found[`${name} of ${file}`] = await run(check, environment)
    }
  }
  return found
}

const recipes = {
  http: readExample('consul-service.json'),
  script: readExample('consul-script-check.json'),
}

const expected = {
  primary: ['passing', 'critical', 'passing'],
  standby: ['critical', 'passing', 'critical'],
  stopped: ['critical', 'critical', 'critical'],
} as const

t.test('each service is healthy on the server that it is for, and critical elsewhere', async t => {
  const servers = await startServers(t)
  const environment = installedEnvironment(t)
  const watch = async (t: Test, dataDirectory: string) => {
    const { daemon, http } = await startHttpDaemon(t, dataDirectory)
    return {
      daemon,
      files: {
        http: replaceEach(recipes.http, { 8008: String(http) }),
        script: replaceEach(recipes.script, { 5400: String(daemon.port) }),
      },
    }
  }
  for (const state of ['primary', 'standby', 'stopped'] as const) {
    await t.test(state, async t => {
      const { daemon, files } = await watch(t, servers[state].dataDirectory)
      await daemon.until(state === 'stopped' ? 'unavailable' : state)
      const [primary, standby, byScript] = expected[state]
      t.strictSame(await healthOf(files, environment), {
        'postgres-primary of http': primary,
        'postgres-standby of http': standby,
        'postgres-primary of script': byScript,
      })
      if (state !== 'standby') return
      const plain = replaceEach(files.script, { ' || exit 2': '' })
      const health = await healthOf({ plain }, environment)
      t.strictSame(health, { 'postgres-primary of plain': 'warning' }, 'why the script says exit 2')
    })
  }
})
