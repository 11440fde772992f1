/** What --help prints, at most 80 columns wide. */
import { wireWords } from '../serve/reply.ts'
import type { CommandName } from './command-words.ts'

const { primary, standby, unavailable } = wireWords

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

const lookOptions = `\
Data directory:
  -D, --pgdata DIR           the server's data directory [PGDATA]
  --control-check HOW        where the role is read (default: native)
                               native          in global/pg_control
                               pg_controldata  there too, by PostgreSQL's own
                                               program of that name
                               off             in signal files alone, which
                                               tell the role of the next start
  --pg-controldata PATH      the program to run for that
                               (default: of the server's version, else in PATH)
`

const serve = `\
pg-replstatus serve watches a data directory and answers every TCP connect on a
port: ${primary} for a primary, ${standby} for a standby that accepts reads.

Usage:
  pg-replstatus [serve] -D DIR [OPTION]...

${lookOptions}
Answers:
  --port PORT                port to answer on (default: 5400)
  --bind ADDRESS             address to answer on; may be given several times
                               (default: all of this host)
  --when-unavailable HOW     with neither role to tell (default: refuse)
                               refuse  close the port
                               close   accept, and close without a word
                               reply   say ${unavailable}
  --newline                  end each answer with a line feed

Watching, in milliseconds:
  --interval MS              look this often, file changes or not (default: 500)
  --lease MS                 believe a look for this long
                               (default: 3 intervals; at least 2)

Log, on standard error:
  --log-level LEVEL          error, warning, notice, info or debug
                               (default: info)
  --log-format FORMAT        text or json (default: text)

  -?, --help                 show this help, then exit

Each option but -D can also be given in the environment: --log-level as
PG_REPLSTATUS_LOG_LEVEL, and so on. The command line goes first.

Exit codes:
  0  stopped by a signal
  3  could not start: wrong usage, no permission, port in use
`

const status = `\
pg-replstatus status looks once at a data directory, and says what was seen and
what follows from it. No running pg-replstatus is needed.

Usage:
  pg-replstatus status -D DIR [OPTION]...

${lookOptions}
Output:
  --json                     print JSON
  --expect ROLE              primary, standby, or any for either of the two;
                               the exit code tells whether that is so

  -?, --help                 show this help, then exit

The environment is asked for PGDATA, PG_REPLSTATUS_CONTROL_CHECK and
PG_REPLSTATUS_PG_CONTROLDATA. The command line goes first.

Exit codes:
                             with --expect
  0  primary                 0  as expected
  1  standby                 1  otherwise
  2  unavailable
  3  could not look          3  could not look
`

const query = `\
pg-replstatus query asks on one port or several, as a load balancer does, and
prints a line for each.

Usage:
  pg-replstatus query [HOST[:PORT]]... [OPTION]...

  HOST[:PORT]    name or address, an IPv6 one with a port as [::1]:5400
                   (default: localhost:5400)

Options:
  --timeout MS   give up after so many milliseconds (default: 3000)
  -?, --help     show this help, then exit

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
