/**
 * A real Nagios runs the check that fixtures/nagios.cfg has, beside real servers: what it makes of
 * exit code, text and numbers stands in its status file.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { makeFolder } from '../harness/cluster-files.ts'
import { guardFolder } from '../harness/guard.ts'
import { spawnLeashed } from '../harness/leash.ts'
import { needProgram } from '../harness/needs.ts'
import { runProgram, serverEnvironment } from '../harness/programs.ts'
import { installedProgram, recipeDirectory, replaceEach, startServers } from '../harness/recipes.ts'
import { readExample } from '../harness/repository.ts'
import { serverUser } from '../harness/server-user.ts'
import { until } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const nagios = needProgram('nagios4')

/** All that it wants to know besides, in a folder that belongs to whom it runs as. */
const mainConfig = (folder: string): string => `
cfg_file=${folder}/recipe.cfg
cfg_file=${folder}/ours.cfg
nagios_user=${serverUser().uid}
nagios_group=${serverUser().gid}
log_file=${folder}/nagios.log
status_file=${folder}/status.dat
status_update_interval=1
object_cache_file=${folder}/objects.cache
precached_object_file=${folder}/objects.precache
command_file=${folder}/nagios.cmd
query_socket=${folder}/nagios.qh
lock_file=${folder}/nagios.lock
temp_file=${folder}/nagios.tmp
temp_path=${folder}
check_result_path=${folder}
check_external_commands=0
check_for_updates=0
enable_notifications=0
execute_host_checks=0
retain_state_information=0
use_syslog=0
service_inter_check_delay_method=n
check_result_reaper_frequency=1
`

const days = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday']

/** What a site has already. */
const siteObjects = `
define timeperiod {
    timeperiod_name  always
    alias            always
${days.map(day => `    ${day}  00:00-24:00\n`).join('')}}
define command {
    command_name  tell_nobody
    command_line  /bin/true
}
define contact {
    contact_name                   nobody
    host_notifications_enabled     0
    service_notifications_enabled  0
    host_notification_period       always
    service_notification_period    always
    host_notification_commands     tell_nobody
    service_notification_commands  tell_nobody
}
define host {
    host_name            db1
    address              127.0.0.1
    max_check_attempts   1
    check_period         always
    notification_period  always
    contacts             nobody
}
define service {
    name                 generic-service
    max_check_attempts   1
    check_interval       1
    retry_interval       1
    check_period         always
    notification_period  always
    contacts             nobody
    register             0
}
`

const serviceOf = (description: string, directory: string, role: string): string => `
define service {
    use                  generic-service
    host_name            db1
    service_description  ${description}
    check_command        check_pg_replstatus!${directory}!${role}
}
`

type ServiceStatus = { readonly state: string; readonly text: string; readonly numbers: string }

/** Of each service that has been checked. */
const readStatus = (file: string): ReadonlyMap<string, ServiceStatus> => {
  const blocks = readFileSync(file, 'utf8').match(/^servicestatus \{\n[^]*?^\t\}$/gm) ?? []
  const field = (block: string, name: string): string =>
    new RegExp(`^\t${name}=(.*)$`, 'm').exec(block)?.[1] ?? ''
  const checked = blocks.filter(block => field(block, 'has_been_checked') === '1')
  return new Map(
    checked.map(block => [
      field(block, 'service_description'),
      {
        state: field(block, 'current_state'),
        text: field(block, 'plugin_output'),
        numbers: field(block, 'performance_data'),
      },
    ]),
  )
}

/** Starts it with these services beside those of the recipe; resolves when all are checked. */
const checkAll = async (t: Test, recipe: string, services: readonly string[]) => {
  const user = serverUser()
  const folder = await makeFolder(user)
  t.teardown(guardFolder(folder).finish)
  writeFileSync(join(folder, 'recipe.cfg'), recipe)
  writeFileSync(join(folder, 'ours.cfg'), siteObjects + services.join(''))
  const main = join(folder, 'nagios.cfg')
  writeFileSync(main, mainConfig(folder))
  const environment = serverEnvironment()
  const program = nagios.get()
  await runProgram({ program, args: ['-v', main], cwd: folder, user, environment })
  const child = spawnLeashed([program, main], { cwd: folder, env: environment, user })
  t.teardown(() => child.kill('SIGTERM'))
  const statusFile = join(folder, 'status.dat')
  const wanted = [recipe, ...services].join('').match(/service_description/g)?.length ?? 0
  let status: ReadonlyMap<string, ServiceStatus> = new Map()
  const areChecked = (): boolean => {
    try {
      status = readStatus(statusFile)
    } catch {
      return false
    }
    return status.size === wanted
  }
  await until(areChecked, { what: 'Nagios to check all', everyMs: 50 })
  return status
}

t.test('Nagios makes of each server what is meant', nagios.options, async t => {
  const { primary, standby, stopped } = await startServers(t)
  const orphan = await primary.standby()
  t.teardown(orphan.destroy)
  await orphan.start()
  rmSync(join(orphan.dataDirectory, 'standby.signal'))
  const recipe = replaceEach(readExample('nagios.cfg'), {
    [recipeDirectory]: primary.dataDirectory,
    // It runs as the user that runs the server already.
    '/usr/bin/sudo -u postgres /usr/bin/pg-replstatus': installedProgram(t),
  })
  const status = await checkAll(t, recipe, [
    serviceOf('a standby', standby.dataDirectory, 'any'),
    serviceOf('no primary', standby.dataDirectory, 'primary'),
    serviceOf('a standby without its file', orphan.dataDirectory, 'standby'),
    serviceOf('a stopped server', stopped.dataDirectory, 'any'),
    serviceOf('no directory', `${stopped.dataDirectory}.gone`, 'any'),
    serviceOf('a wrong word', primary.dataDirectory, 'nonsense'),
  ])
  const numbers = /^time=\d+\.\d{6}s timeline=1$/
  const reason = 'postmaster pid \\d+ is ready and the cluster state is in'
  const ok = {
    state: '0',
    text: new RegExp(`^PG_REPLSTATUS OK - primary: ${reason} production$`),
    numbers,
  }
  const expected = {
    'PostgreSQL role': ok,
    'PostgreSQL primary': ok,
    'a standby': { state: '0', text: /^PG_REPLSTATUS OK - standby: /, numbers },
    'no primary': { state: '2', text: /CRITICAL - standby, expected primary: /, numbers },
    'a standby without its file': {
      state: '1',
      text: /WARNING - standby: .*, but standby\.signal is missing: /,
      numbers,
    },
    'a stopped server': {
      state: '2',
      text: /CRITICAL - unavailable: .* no server is running/,
      numbers,
    },
    'no directory': {
      state: '3',
      text: /UNKNOWN - data directory .* does not exist \(specify /,
      numbers: '',
    },
    'a wrong word': {
      state: '3',
      text: /error: --expect must be .*, but is "nonsense"/,
      numbers: '',
    },
  }
  t.match(Object.fromEntries(status), expected)
  t.equal(status.size, Object.keys(expected).length)
})
