/**
 * What a child of the postmaster is, from its process title.
 *
 * Source: src/backend/utils/misc/ps_status.c and the set_ps_display() calls of PostgreSQL 10 to
 * 19, plus the titles seen on running servers of each.
 *
 * A title is `postgres: `, the cluster name and `: ` if there is one, a fixed part, blanks (three
 * up to 12, one since 13) and an activity, which is empty at first and stays so with
 * update_process_title off. Backends put names chosen by their clients into the fixed part, so
 * only exact forms count: user `startup` makes `postgres: startup db [local] idle`, and a
 * backend during login shows the activity `startup`, with no blank after it.
 */

/**
 * - `session`: a backend or walsender whose client has logged in.
 * - `login`: a backend whose client has not logged in yet.
 * - `other`: an auxiliary process that does not depend on the role.
 * - `foreign`: not PostgreSQL: a program that the shell left in the background before it became the
 *   postmaster, or an orphan if the postmaster is pid 1.
 * - `untitled`: forked a moment ago and still showing the postmaster's command line (0.6 to 8 ms),
 *   so that it could be anything. Under emulation (qemu-user) it stays so.
 * - `illegible`: a title that fills its room and may have been cut, or one that can't be read.
 * - `unclear`: a title of no known form: a background worker of an extension, or a title read
 *   while the process was writing it, which it does in place.
 */
export type ChildKind =
  | 'startup'
  | 'checkpointer'
  | 'walwriter'
  | 'walreceiver'
  | 'session'
  | 'login'
  | 'other'
  | 'foreign'
  | 'untitled'
  | 'illegible'
  | 'unclear'

/** What the titles of a postmaster's children are compared with. */
export type TitleFrame = {
  /** The postmaster's own command line, which a child shows until it has a title. */
  readonly commandLine: string
  /** Bytes that arguments and environment take up in memory; null if unknown. */
  readonly room: number | null
}

/** ps_status.c leaves the last NUL of that alone, and ends the title with another one. */
const unusedBytes = 2

/** `commandLine` is the content of /proc/PID/cmdline; what the title leaves over is NUL. */
export const childKind = (commandLine: string, frame: TitleFrame): ChildKind => {
  const title = titleIn(commandLine)
  if (title === '') return 'illegible'
  if (!title.startsWith('postgres: ')) {
    if (frame.commandLine === '') return 'illegible'
    return commandLine === frame.commandLine ? 'untitled' : 'foreign'
  }
  // A cut title can look like any other: `postgres: startup` may be the backend of a user.
  if (frame.room !== null && title.length >= frame.room - unusedBytes) return 'illegible'
  if (backupInTitle.test(title)) return 'other'
  const own = ownPart(title)
  if (ofBackend.test(own)) return ofSession.test(own) ? 'session' : 'login'
  return exactForms.find(({ form }) => form.test(own))?.kind ?? 'unclear'
}

/** What of a command line is the title: blanks at its end count. */
export const titleIn = (commandLine: string): string => commandLine.split('\0', 1).join('')

/** A cluster name may hold anything, `: ` included; nothing after it in the titles below does. */
const ownPart = (title: string): string => title.slice(title.lastIndexOf(': ') + 2)

/**
 * Of an `unclear` title: it is none of ours in the middle of a change, either. The fixed part of a
 * title is written once, and only what follows it is overwritten in place.
 */
export const isForeign = (commandLine: string): boolean =>
  !/^(?:startup|checkpointer|wal)/.test(ownPart(titleIn(commandLine)))

/** Backends name their client's end, `[local]` or `host(port)`, after user and database. */
const ofBackend = /(?:^| )(?:\[local\]|\S+\(\d+\))(?: |$)/

/**
 * What PostgresMain() and the walsender show once the client has logged in: a command tag, idle or
 * streaming. Anchored at the end, since names of users and databases are the client's to choose.
 */
const ofSession =
  /(?:^| )(?:\[local\]|\S+\(\d+\)) (?:idle|idle in transaction|idle in transaction \(aborted\)|[A-Z][A-Z_ ]*|streaming [0-9A-F]+\/[0-9A-F]+)(?: waiting)?$/

/**
 * The one activity with a text chosen by a client, cut at 49 characters: with the right label a
 * walsender's title would end in `: startup `.
 */
const backupInTitle = / sending backup "/

type ExactForm = { readonly kind: ChildKind; readonly form: RegExp }

/** Auxiliary processes of PostgreSQL itself that do not depend on its role. */
const otherAuxiliary =
  '(?:background |autovacuum |logical replication |io |parallel |slotsync |dead-end |stats |wal ?summarizer|archiver|logger|writer|walsender|wal sender)'

const exactForm = (
  kind: ChildKind,
  fixedPart: string,
  activities: readonly string[],
): ExactForm => ({
  kind,
  form: new RegExp(`^(?:${fixedPart}) {1,3}(?:${activities.join('|')})$`),
})

const walFile = '[0-9A-F]{24}'
const position = '[0-9A-F]+/[0-9A-F]+'

const exactForms: readonly ExactForm[] = [
  // xlogrecovery.c, and standby.c for a recovery conflict, which makes it wait. Up to 14 the
  // checkpoint at the end of a crash recovery is made by the startup process itself (xlog.c).
  exactForm('startup', 'startup|startup process', [
    '(?: waiting)?',
    `(?:recovering|waiting for) ${walFile}(?: waiting)?`,
    'performing end-of-recovery checkpoint',
  ]),
  // update_checkpoint_display() in xlog.c
  exactForm('checkpointer', 'checkpointer|checkpointer process', [
    '',
    'performing (?:end-of-recovery )?(?:shutdown )?(?:checkpoint|restartpoint)',
  ]),
  exactForm('walwriter', 'walwriter|wal writer process', ['']),
  // walreceiver.c
  exactForm('walreceiver', 'walreceiver|wal receiver process', [
    '',
    `(?:streaming|restarting at) ${position}`,
    'idle',
  ]),
  { kind: 'other', form: new RegExp(`^${otherAuxiliary}`) },
]
