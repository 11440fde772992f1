import { once } from 'node:events'
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, constants, openSync, symlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { configBytesMax, readConfig } from '../../../src/cli/config/config-source.ts'
import { withoutDescriptors } from '../../harness/without-descriptors.ts'

t.test('the text of a file, as long as it may be', async t => {
  const longest = `;${'ä'.repeat((configBytesMax - 2) / 2)}\n`
  const folder = t.testdir({ short: '[a]\n', empty: '', longest, long: `${longest};` })
  for (const [name, text] of Object.entries({ short: '[a]\n', empty: '', longest })) {
    t.strictSame(await readConfig(join(folder, name)), { ok: true, fact: text }, name)
  }
  t.match(await readConfig(join(folder, 'long')), {
    ok: false,
    fault: { message: /^could not read .*long: over 1048576 bytes$/ },
  })
})

t.test('what comes in pieces', async t => {
  const path = join(t.testdir(), 'pipe')
  spawnSync('mkfifo', [path])
  const writer = spawn('sh', ['-c', '(echo "[a]"; echo "port = 1") > "$1"', 'sh', path])
  t.strictSame(await readConfig(path), { ok: true, fact: '[a]\nport = 1\n' })
  if (writer.exitCode === null) await once(writer, 'close')
})

t.test('a file that cannot be read is reported with a hint', async t => {
  const folder = t.testdir()
  t.strictSame(await readConfig(join(folder, 'none')), {
    ok: false,
    fault: {
      message: `could not read ${folder}/none: ENOENT`,
      hint: 'create it with: pg-replstatus --discover > FILE',
    },
  })
  const loop = join(folder, 'loop')
  symlinkSync(loop, loop)
  t.match(await readConfig(loop), {
    ok: false,
    fault: { message: /: ELOOP$/, hint: /a \[section\] for each cluster/ },
  })
})

t.test('without a descriptor, the same applies', async t => {
  const path = join(t.testdir({ config: '[a]\n' }), 'config')
  t.match(await withoutDescriptors(() => readConfig(path)), {
    ok: false,
    fault: { message: /: EMFILE$/, hint: /^too many files are open/ },
  })
})

t.test('neither can what fails when it is read', async t => {
  // Nothing is mapped at its beginning.
  t.match(await readConfig('/proc/self/mem'), {
    ok: false,
    fault: { message: 'could not read /proc/self/mem: EIO' },
  })
})

t.test('what is no file and no pipe is not read at all', async t => {
  for (const path of [t.testdir(), '/dev/zero', '/dev/null']) {
    t.strictSame(await readConfig(path), {
      ok: false,
      fault: {
        message: `could not read ${path}: neither a file nor a pipe`,
        hint: 'it must be a file with a [section] for each cluster',
      },
    })
  }
})

t.test(
  'a pipe that is not written, or not closed, is waited for no longer than the limit',
  async t => {
    const path = join(t.testdir(), 'pipe')
    spawnSync('mkfifo', [path])
    const silent = {
      ok: false,
      fault: {
        message: `could not read ${path}: the pipe was not written and closed within 30 ms`,
        hint: 'a pipe can be read once; SIGHUP requires a file',
      },
    }
    // More often than libuv has threads.
    for (let times = 0; times < 5; times += 1)
      t.strictSame(await readConfig(path, { limitMs: 30 }), silent)
    const writer = openSync(path, constants.O_RDWR)
    t.strictSame(await readConfig(path, { limitMs: 30 }), silent, 'open, and empty')
    writeSync(writer, '[a]\n')
    t.strictSame(await readConfig(path, { limitMs: 30 }), silent, 'not closed')
    closeSync(writer)
  },
)

t.test('nor is a pipe read without end', async t => {
  const path = join(t.testdir(), 'pipe')
  spawnSync('mkfifo', [path])
  const writer = spawn('sh', ['-c', 'exec cat /dev/zero > "$1"', 'sh', path])
  t.match(await readConfig(path), { ok: false, fault: { message: /over 1048576 bytes/ } })
  if (writer.exitCode === null && writer.signalCode === null) await once(writer, 'close')
})
