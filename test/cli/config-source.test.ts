import { once } from 'node:events'
import { spawn, spawnSync } from 'node:child_process'
import { join } from 'node:path'
import t from 'tap'
import { configBytesMax, readConfig } from '../../src/cli/config-source.ts'

t.test('the text of a file, as long as it may be', async t => {
  const longest = `;${'ä'.repeat((configBytesMax - 2) / 2)}\n`
  const folder = t.testdir({ short: '[a]\n', empty: '', longest, long: `${longest};` })
  for (const [name, text] of Object.entries({ short: '[a]\n', empty: '', longest })) {
    t.strictSame(await readConfig(join(folder, name)), { ok: true, fact: text }, name)
  }
  t.match(await readConfig(join(folder, 'long')), {
    ok: false,
    fault: { message: /long is longer than 1048576 bytes, wanted a configuration file$/ },
  })
})

t.test('what comes in pieces', async t => {
  const path = join(t.testdir(), 'pipe')
  spawnSync('mkfifo', [path])
  const writer = spawn('sh', ['-c', '(echo "[a]"; echo "port = 1") > "$1"', 'sh', path])
  t.strictSame(await readConfig(path), { ok: true, fact: '[a]\nport = 1\n' })
  if (writer.exitCode === null) await once(writer, 'close')
})

t.test('what can not be read is told with a hint', async t => {
  const folder = t.testdir()
  t.strictSame(await readConfig(join(folder, 'none')), {
    ok: false,
    fault: {
      message: `${folder}/none can't be read (ENOENT), wanted a configuration file`,
      hint: 'make one with: pg-replstatus --discover > FILE',
    },
  })
  t.match(await readConfig(folder), {
    ok: false,
    fault: { message: /\(EISDIR\)/, hint: /a \[section\] for each cluster/ },
  })
})
