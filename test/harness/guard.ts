/**
 * Makes sure that nothing is left of a cluster, however the tests end.
 *
 * A small shell per cluster waits for the end of its standard input. It comes when finish()
 * closes it, and also when our process dies, by SIGKILL too, where no exit hook would run. Then
 * the shell ends whatever of PostgreSQL works in the folder and removes it.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { within } from './until.ts'

export type Guard = {
  /** Ends what runs and removes the folder. */
  readonly finish: () => Promise<void>
}

/**
 * Processes are found by where they are, for a pid may be somebody else's by now. An immediate
 * shutdown comes first, as it frees the shared memory; SIGCONT lets those see it that a test has
 * stopped. A postmaster killed before leaves a segment behind for ever: its lock file tells
 * which, and a segment of that creator, unused and with the 56 bytes of PGShmemHeader, can be no
 * other, even when the lock file is a forgery.
 */
const script = `
exec 2>/dev/null
cat >/dev/null
at_work() {
  ls -ln /proc/[0-9]*/cwd | awk -v place="/cwd -> $1/" 'index($0 "/", place) {
    split($0, part, "/proc/|/cwd -> "); print part[2]
  }' | while read -r pid; do
    read -r name <"/proc/$pid/comm" && case "$name" in
      postgres | initdb | pg_ctl | cp) echo "$pid" ;;
    esac
  done
}
for signal in QUIT KILL; do
  tries=0
  while [ "$tries" -lt 60 ]; do
    pids=$(at_work "$1")
    [ -z "$pids" ] && break 2
    [ "$tries" -eq 0 ] && { kill "-$signal" $pids; kill -CONT $pids; }
    tries=$((tries + 1))
    sleep 0.03
  done
done
creator=$(sed -n 1p "$1/data/postmaster.pid")
segment=$(sed -n 7p "$1/data/postmaster.pid" | awk '{ print $2 }')
awk -v id="$segment" -v creator="$creator" \\
  '$2 == id && $5 == creator && $4 == 56 && $7 == 0 { print $2 }' /proc/sysvipc/shm |
  while read -r unused; do ipcrm -m "$unused"; done
rm -rf "$1" || { sleep 1; rm -rf "$1"; }
`

/** Guards the folder of one cluster. */
export const guardFolder = (folder: string): Guard => {
  // Detached, or Ctrl-C would end the guard together with what it guards against.
  const shell = spawn('/bin/sh', ['-c', script, 'guard', folder], {
    cwd: '/',
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  const gone = once(shell, 'exit')
  shell.unref()
  return {
    finish: async () => {
      shell.ref()
      shell.stdin.end()
      await within(gone, { what: `the guard of ${folder}` })
    },
  }
}
