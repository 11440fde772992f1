/**
 * Descriptors of every kind but the right one, passed as systemd passes the socket of a unit. Each
 * is told in a line, and ends it.
 */
import t from 'tap'
import { launchDaemon, startDaemon } from '../harness/daemon.ts'
import { needProgram } from '../harness/needs.ts'
import { forgeDataDirectory, makeServerFolder } from '../harness/stand-in.ts'

const perl = needProgram('perl')

/** Each leaves in $s what is to be passed. */
const kinds = {
  'a datagram socket': 'socket($s, PF_INET, SOCK_DGRAM, 0); bind($s, $any)',
  'a socket with a path': 'socket($s, PF_UNIX, SOCK_STREAM, 0); bind($s, $path); listen($s, 5)',
  'a datagram socket with a path': 'socket($s, PF_UNIX, SOCK_DGRAM, 0); bind($s, $path)',
  'one of a pair': 'socketpair($s, $o, PF_UNIX, SOCK_STREAM, 0)',
  'a connection':
    'socket($o, PF_INET, SOCK_STREAM, 0); bind($o, $any); listen($o, 5);' +
    'socket($s, PF_INET, SOCK_STREAM, 0); connect($s, getsockname($o))',
  'a pipe': 'pipe($s, $o)',
  'a file': 'open($s, "<", "/etc/passwd")',
  'a directory': 'sysopen($s, "/", 0)',
  'a device': 'open($s, "<", "/dev/zero")',
  nothing: '1',
} as const

/** Leaves nothing open from 3 on but what is passed. */
const passing = (make: string): string => `
  use Socket; use POSIX (); $^F = 9;
  my ($folder, @command) = @ARGV;
  my $any = sockaddr_in(0, INADDR_LOOPBACK); my $path = sockaddr_un("$folder/socket");
  POSIX::close($_) for 3 .. 9;
  my ($s, $o); ${make};
  POSIX::dup2(fileno($s), 3) if defined $s && fileno($s) != 3;
  POSIX::close($_) for 4 .. 9;
  $ENV{LISTEN_FDS} = 1; $ENV{LISTEN_PID} = $$;
  exec @command;`

for (const [kind, make] of Object.entries(kinds)) {
  t.test(`${kind} is no port, which is reported`, perl.options, async t => {
    const daemon = await launchDaemon({
      dataDirectory: forgeDataDirectory(t),
      through: [perl.get(), '-e', passing(make), makeServerFolder(t)],
    })
    t.match(await daemon.ended(), { code: 3 })
    const said = daemon.log().filter(line => !/ notice: /.test(line))
    t.match(said, [
      /^pg-replstatus: error: could not listen on passed socket 3: E[A-Z]+$/,
      'hint: see ListenStream= in systemd.socket(5)',
    ])
    t.equal(said.length, 2)
  })
}

t.test('a socket that does not listen yet is made to', perl.options, async t => {
  const make = 'socket($s, PF_INET, SOCK_STREAM, 0); bind($s, $any)'
  const daemon = await startDaemon({
    dataDirectory: forgeDataDirectory(t),
    through: [perl.get(), '-e', passing(make), makeServerFolder(t)],
  })
  t.teardown(daemon.stop)
  await daemon.said(/ listening address=127\.0\.0\.1 port=[1-9]/)
})
