/** What --help prints, at most 80 columns wide. */
import { wireWords } from '../../serve/role/reply.ts'
import { optionList } from './option-list.ts'
import type { CommandName } from './option-spec.ts'

const { primary, standby } = wireWords

const program = `\
pg-replstatus reports the role of a PostgreSQL server to load balancers: it
answers every TCP connection with ${primary} or ${standby}. It reads the data
directory and /proc, needs no database session, and changes nothing.

Usage:
  pg-replstatus [serve] -D DIR [OPTION]...  watch a server, answer on a port
  pg-replstatus status -D DIR [OPTION]...   check once, print result and reason
  pg-replstatus history -D DIR              the last changes, from the daemon
  pg-replstatus query [HOST[:PORT]]...      query ports, as a load balancer does
  pg-replstatus cluster [HOST:PORT]         show the whole cluster

  -?, --help     show this help, or after a command that command's, then exit
  -V, --version  show the version, then exit

Exit codes:
  0  primary; of serve: stopped by a signal
  1  standby
  2  unavailable: neither of them
  3  error: wrong usage, no such directory, no permission, port in use
`

/** A paragraph; the manual page has it under a heading of its own. */
export const signals = `\
Signals:
  SIGTERM, SIGINT  stop
  SIGHUP           read the configuration file and certificates again
  SIGUSR1          log the last 100 changes again
  SIGUSR2          begin maintenance mode (unavailable), or end it
`

const serve = `\
pg-replstatus serve watches a data directory and answers every TCP connection
to a port: ${primary} for a primary, ${standby} for a standby that accepts
clients.

Usage:
  pg-replstatus [serve] -D DIR [OPTION]...
  pg-replstatus [serve] --config FILE [OPTION]...

${optionList('serve')}
Each option, except those that exit, can also be set in the environment: -D as
PGDATA, --log-level as PG_REPLSTATUS_LOG_LEVEL, and so on. The command line
takes precedence over the environment, the environment over the configuration
file ("log-level = debug"), and a section over settings above the first one.

${signals}
Exit codes:
  0  stopped by a signal
  3  could not start: wrong usage, no permission, port in use
`

const status = `\
pg-replstatus status checks a data directory once, and prints what it found and
the role that follows from it. No running pg-replstatus is needed.

Usage:
  pg-replstatus status -D DIR [OPTION]...

${optionList('status')}
Of the environment it uses PGDATA, PG_REPLSTATUS_USER,
PG_REPLSTATUS_CONTROL_CHECK, PG_REPLSTATUS_PG_CONTROLDATA and
PG_REPLSTATUS_MAINTENANCE_FILE. The command line takes precedence.

Exit codes:
                     with --expect       with --nagios
  0  primary         0  as expected      0  OK
  1  standby         1  otherwise        1  WARNING: hazard
  2  unavailable                         2  CRITICAL: unavailable, or
                                            not as expected
  3  error           3  error            3  UNKNOWN: error
`

const history = `\
pg-replstatus history asks a running pg-replstatus for the last changes of the
role, and prints them with the reasons, the newest last.

Usage:
  pg-replstatus history -D DIR [OPTION]...
  pg-replstatus history HOST:PORT [OPTION]...

  HOST:PORT      its HTTP address (--http), or https://HOST:PORT

${optionList('history')}
With -D the Unix socket of the daemon is searched in /run/pg-replstatus,
where the systemd unit opens it (--http unix:PATH). Of the environment it
uses PGDATA and PG_REPLSTATUS_USER.

Exit codes:
  0  printed
  3  error: no daemon, no answer, wrong usage
`

const query = `\
pg-replstatus query connects to one or more ports, as a load balancer does, and
prints a line for each.

Usage:
  pg-replstatus query [HOST[:PORT]]... [OPTION]...

  HOST[:PORT]    name or address; IPv6 with a port: [::1]:5400
                   (default: localhost:5400)

${optionList('query')}
Exit codes:
  one port                   several
  0  primary                 0  exactly one primary
  1  standby                 1  none or several
  2  unavailable
  3  wrong usage             3  wrong usage
`

const cluster = `\
pg-replstatus cluster asks a running pg-replstatus for all members of its
cluster, which are itself and those of its --peer options, and prints a table.

Usage:
  pg-replstatus cluster [HOST:PORT] [OPTION]...

  HOST:PORT      its HTTP address (--http), or https://HOST:PORT
                   (default: localhost:8008)

${optionList('cluster')}
For https the certificate must be of an authority that Node.js trusts, or of one
in the file that the environment variable NODE_EXTRA_CA_CERTS names.

Exit codes:
  0  exactly one primary, none superseded, and none has another primary
  1  otherwise
  3  error: no answer, wrong usage

With --watch the exit code is 0 after Ctrl-C.
`

export const help: { readonly [Page in CommandName | 'program']: string } = {
  program,
  serve,
  status,
  history,
  query,
  cluster,
}
