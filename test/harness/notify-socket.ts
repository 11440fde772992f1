/**
 * Where systemd would be told how a service is: a datagram socket with a path. Node has none, Perl
 * does.
 */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { makeServerFolder } from './stand-in.ts'
import { until } from './until.ts'

const listener = `
use Socket;
$| = 1;
socket(my $socket, PF_UNIX, SOCK_DGRAM, 0) or die $!;
bind($socket, pack_sockaddr_un($ARGV[0])) or die $!;
chmod 0777, $ARGV[0];
print "bound\\n";
print $message, "\\n" while defined recv($socket, $message, 65536, 0);
`

export type Notifications = {
  readonly path: string
  /** All that came so far. */
  readonly messages: () => string
  readonly said: (pattern: RegExp) => Promise<void>
}

/** Listens until the test ends. */
export const hearNotifications = async (
  owner: { readonly teardown: (action: () => unknown) => unknown },
  perl: string,
): Promise<Notifications> => {
  const path = join(makeServerFolder(owner), 'notify')
  const child = spawn(perl, ['-e', listener, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  owner.teardown(() => child.kill('SIGKILL'))
  let text = ''
  child.stdout.on('data', chunk => {
    text += String(chunk)
  })
  const said = (pattern: RegExp): Promise<void> =>
    until(() => pattern.test(text), { what: `a notification like ${String(pattern)}` })
  await said(/^bound$/m)
  return { path, messages: () => text, said }
}
