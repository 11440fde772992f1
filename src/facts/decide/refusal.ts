/**
 * Mistakes of the operator, which do not go away by waiting: a wrong path, a wrong user, a program
 * too old. Each has a message of one line and a hint.
 */
import { describeControlFault } from './reason.ts'
import type { ControlFault, Evidence } from './evidence.ts'

export type Refusal = {
  readonly kind:
    | 'no such directory'
    | 'not a directory'
    | 'no permission'
    | 'not a data directory'
    | 'unsupported control file'
  /** What was found against what was wanted: lower case, one line, without a stop. */
  readonly message: string
  readonly hint: string
}

/** Null if the data directory can be checked. `userName` names the owner of a directory. */
export const refusalOf = (
  { path, directory, controlFile, lockFile }: Evidence,
  userName: (uid: number) => string,
): Refusal | null => {
  switch (directory.kind) {
    case 'absent':
      return {
        kind: 'no such directory',
        message: `data directory ${path} does not exist`,
        hint: 'specify the data directory of the cluster, as for pg_ctl -D',
      }
    case 'not a directory':
      return {
        kind: 'not a directory',
        message: `${path} is not a directory`,
        hint: 'specify the data directory of the cluster, as for pg_ctl -D',
      }
    case 'unreadable':
      return {
        kind: 'no permission',
        message: `could not read data directory ${path}: ${directory.code}`,
        hint:
          directory.owner === null
            ? `a directory above it denies access to this user: see "namei -l ${path}"`
            : `run as ${userName(directory.owner)}, the user that runs the server`,
      }
    case 'present':
      break
  }
  if (directory.version === null && controlFile.kind === 'absent' && lockFile.kind === 'absent') {
    return {
      kind: 'not a data directory',
      message: `${path} is not a data directory: it has no valid PG_VERSION`,
      hint: 'specify the directory that contains PG_VERSION and global/pg_control',
    }
  }
  const unreadable = [controlFile, lockFile].find(file => file.kind === 'unreadable')
  if (unreadable?.kind === 'unreadable' && unreadable.code === 'EACCES') {
    return {
      kind: 'no permission',
      message: `could not read files in ${path}: ${unreadable.code}`,
      hint: `run as ${userName(directory.owner)}, the user that runs the server`,
    }
  }
  if (controlFile.kind !== 'invalid') return null
  const hint = hintFor(controlFile.fault.fault.kind)
  return hint === null
    ? null
    : {
        kind: 'unsupported control file',
        message: `${path}: ${describeControlFault(controlFile.fault)}`,
        hint,
      }
}

/** Null for damage, which may be mended, or be a file that is just being written. */
const hintFor = (kind: ControlFault['fault']['kind']): string | null => {
  switch (kind) {
    case 'unknown version':
    case 'unknown layout':
      return "use --control-check pg_controldata: it runs the server's own program"
    case 'wrong byte order':
      return 'the directory may be from a machine of another architecture'
    case 'too short':
    case 'bad checksum':
    case 'no checksum':
    case 'unknown state':
    case 'warning':
    case 'missing line':
    case 'bad line':
    case 'program failed':
      return null
  }
}
