/**
 * What somebody would write first: chokidar with its defaults on the data directory, and the
 * control file read at each change.
 *
 *   node naive-watch.js PGDATA
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { watch } from 'chokidar'

const [pgdata = ''] = process.argv.slice(2)
const files = ['postmaster.pid', 'standby.signal', 'recovery.signal', 'global/pg_control']

watch([pgdata, ...files.map(name => join(pgdata, name))], { depth: 1 })
  .on('all', () => void readFileSync(join(pgdata, 'global/pg_control')))
  .on('ready', () => void process.stderr.write('ready\n'))
