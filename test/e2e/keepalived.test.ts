/**
 * A real keepalived on each of two servers, in network namespaces with a wire between them, with
 * fixtures/keepalived.conf: the addresses are where the primary is, before and after a failover.
 */
import { existsSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startInBackground } from '../harness/background.ts'
import type { Cluster } from '../harness/cluster.ts'
import { makeFolder } from '../harness/cluster-files.ts'
import { startDaemon } from '../harness/daemon.ts'
import { guardFolder } from '../harness/guard.ts'
import { needProgram, needRoot } from '../harness/needs.ts'
import { runProgram } from '../harness/programs.ts'
import { installedProgram, recipeDirectory, replaceEach, startServers } from '../harness/recipes.ts'
import { readExample } from '../harness/repository.ts'
import { serverUser } from '../harness/server-user.ts'
import { until } from '../harness/until.ts'

// The first run fetches the server.
t.setTimeout(300_000)

const needs = [needRoot(), needProgram('keepalived'), needProgram('ip')] as const
const [, keepalivedProgram, ip] = needs
const { options } = needs.find(need => need.options.skip !== false) ?? keepalivedProgram

const [byScript, byFile] = ['192.0.2.10', '192.0.2.11'] as const
const recipe = readExample('keepalived.conf')

/** The folder that the unit makes for the daemon; everything else is read-only for its command. */
const [, unitFolder = ''] =
  /^RuntimeDirectory=(.*)$/m.exec(readExample('systemd/pg-replstatus@.service')) ?? []
const weightFolder = join('/run', unitFolder.replace('%i', '16-main'))

/** What the file has as a comment: the script for --on-change. */
const changeScript = [...recipe.matchAll(/^# {3}((?:case|echo|mv) .*)$/gm)]
  .map(([, line]) => line)
  .join('\n')

/** A network of its own, with nothing in it yet. */
const startNetwork = async (t: Test) => {
  const { pid } = startInBackground(t, ['unshare', '--net', 'sleep', '1000'])
  const network = (process: number | 'self') => readlinkSync(`/proc/${process}/ns/net`)
  await until(() => network(pid) !== network('self'), { what: 'a network' })
  const inside = ['--target', String(pid), '--net']
  const run = (words: string) =>
    runProgram({ program: 'nsenter', args: [...inside, ip.get(), ...words.split(' ')], cwd: '/' })
  return { pid, inside, ip: run }
}

type Network = Awaited<ReturnType<typeof startNetwork>>

const startNetworks = async (t: Test): Promise<readonly [Network, Network]> => {
  const [one, other] = [await startNetwork(t), await startNetwork(t)]
  await one.ip(`link add eth0 type veth peer name eth0 netns ${other.pid}`)
  for (const [index, network] of [one, other].entries()) {
    await network.ip('link set lo up')
    await network.ip(`address add 192.0.2.${index + 1}/24 dev eth0`)
    await network.ip('link set eth0 up')
  }
  return [one, other]
}

/** A daemon and a keepalived beside the server, as the file says. */
const startNode = async (t: Test, { inside, ip: run }: Network, { dataDirectory }: Cluster) => {
  const user = serverUser()
  const folder = await makeFolder(user)
  t.teardown(guardFolder(folder).finish)
  const onChange = replaceEach(changeScript, { [weightFolder]: folder })
  const daemon = await startDaemon({ dataDirectory, args: ['--on-change', onChange] })
  t.teardown(daemon.stop)
  const weight = join(folder, 'weight')
  await until(() => existsSync(weight), { what: 'a weight' })
  const name = await runProgram({ program: 'id', args: ['-un', String(user.uid)], cwd: '/' })
  const config = join(folder, 'keepalived.conf')
  const text = replaceEach(recipe, {
    'script_user postgres': `script_user ${name.trim()}`,
    '/usr/bin/pg-replstatus': installedProgram(t),
    [recipeDirectory]: dataDirectory,
    [weightFolder]: folder,
  })
  writeFileSync(config, text)
  const files = ['-f', config, '-p', join(folder, 'pid'), '-r', join(folder, 'vrrp.pid')]
  const keepalived = [keepalivedProgram.get(), ...files, '--vrrp', '--dont-fork', '--log-console']
  const { said } = startInBackground(t, ['nsenter', ...inside, ...keepalived])
  return {
    weight: () => readFileSync(weight, 'utf8'),
    said,
    has: async (address: string) => (await run('address show dev eth0')).includes(`${address}/`),
  }
}

type Node = Awaited<ReturnType<typeof startNode>>

/** Waits until this node has the address, and that one has not. */
const moves = (address: string, to: Node, from: Node): Promise<void> =>
  until(async () => (await to.has(address)) && !(await from.has(address)), {
    what: `${address} to move\n${to.said()}`,
    everyMs: 50,
  })

t.test('the addresses are where the primary is', options, async t => {
  const { primary, standby } = await startServers(t)
  const [network1, network2] = await startNetworks(t)
  const first = await startNode(t, network1, primary)
  const second = await startNode(t, network2, standby)

  await t.test('on the server that is one', async t => {
    await moves(byScript, first, second)
    await moves(byFile, first, second)
    t.strictSame([first.weight(), second.weight()], ['50\n', '0\n'])
    t.notMatch(
      first.said(),
      /warning|security|unknown|: Line \d/i,
      'nothing is wrong with the file',
    )
  })

  await t.test('by the script on none, when none is', async t => {
    await primary.stop()
    await until(async () => !(await first.has(byScript)), { what: 'the address to go' })
    t.notOk(await second.has(byScript))
    t.match(first.said(), /VRRP_Script\(pg_is_primary\) failed \(exited with status 1\)/)
    t.match(first.said(), /\(pg_by_script\) Entering FAULT STATE/)
  })

  await t.test('on the other after a promotion', async t => {
    await standby.promote('sql')
    await moves(byScript, second, first)
    await moves(byFile, second, first)
    t.strictSame([first.weight(), second.weight()], ['0\n', '50\n'])
  })
})
