/** What --help prints, at most 80 columns wide. */
import { wireWords } from '../serve/reply.ts'
import { optionList } from './option-list.ts'
import type { CommandName } from './option-spec.ts'

const { primary, standby } = wireWords

const program = `\
pg-replstatus tells a load balancer the role of a PostgreSQL server: it
answers every TCP connect with ${primary} or ${standby}. It reads the data
directory and /proc, needs no database session, and changes nothing.

Usage:
  pg-replstatus [serve] -D DIR [OPTION]...  watch a server, answer on a port
  pg-replstatus status -D DIR [OPTION]...   look once, say what was seen and why
  pg-replstatus query [HOST[:PORT]]...      ask ports, as a load balancer does

  -?, --help     show this help, or after a command that command's, then exit
  -V, --version  show the version, then exit

Exit codes:
  0  primary; of serve: stopped by a signal
  1  standby
  2  unavailable: neither of them
  3  could not look: wrong usage, no such directory, no permission, port in use
`

const serve = `\
pg-replstatus serve watches a data directory and answers every TCP connect on a
port: ${primary} for a primary, ${standby} for a standby that accepts reads.

Usage:
  pg-replstatus [serve] -D DIR [OPTION]...
  pg-replstatus [serve] --config FILE [OPTION]...

${optionList('serve')}
Each option but those that exit can also be given in the environment: -D as
PGDATA, --log-level as PG_REPLSTATUS_LOG_LEVEL, and so on. The command line
goes first, then the environment, then the section of the file, then what stands
before its first section, as "log-level = debug".

Signals:
  SIGTERM, SIGINT  stop
  SIGHUP           read the configuration file again
  SIGUSR1          log the last 100 changes again
  SIGUSR2          make the server unavailable for maintenance, or end it

Exit codes:
  0  stopped by a signal
  3  could not start: wrong usage, no permission, port in use
`

const status = `\
pg-replstatus status looks once at a data directory, and says what was seen and
what follows from it. No running pg-replstatus is needed.

Usage:
  pg-replstatus status -D DIR [OPTION]...

${optionList('status')}
The environment is asked for PGDATA, PG_REPLSTATUS_CONTROL_CHECK,
PG_REPLSTATUS_PG_CONTROLDATA and PG_REPLSTATUS_MAINTENANCE_FILE. The command
line goes first.

Exit codes:
                     with --expect       with --nagios
  0  primary         0  as expected      0  OK
  1  standby         1  otherwise        1  WARNING of the next start
  2  unavailable                         2  CRITICAL: unavailable, or
                                            not as expected
  3  could not look  3  could not look   3  UNKNOWN: could not look
`

const query = `\
pg-replstatus query asks on one port or several, as a load balancer does, and
prints a line for each.

Usage:
  pg-replstatus query [HOST[:PORT]]... [OPTION]...

  HOST[:PORT]    name or address, an IPv6 one with a port as [::1]:5400
                   (default: localhost:5400)

${optionList('query')}
Exit codes:
  one port                   several
  0  primary                 0  exactly one primary
  1  standby                 1  none or several
  2  unavailable
  3  wrong usage             3  wrong usage
`

export const help: { readonly [Page in CommandName | 'program']: string } = {
  program,
  serve,
  status,
  query,
}
