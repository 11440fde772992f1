/**
 * Completion for bash, from the table of options. Not part of the program: it is made with it,
 * and lies beside it. It needs nothing but bash; it works with bash-completion and without.
 */
import { negationOf } from './option-list.ts'
import type { CommandName, OptionSpec } from './option-spec.ts'
import { commandNames, optionsOf } from './option-table.ts'

/** The script; ends with a line feed. */
export const bashCompletion = (): string => `\
# Completion of pg-replstatus for bash.

_pg_replstatus() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command=serve
  COMPREPLY=()
  case \${COMP_WORDS[1]} in
    ${commandNames.join(' | ')}) command=\${COMP_WORDS[1]} ;;
  esac
  # Bash takes the = in --option=value for a word of its own.
  [ "$word" = = ] && word=
  [ "$before" = = ] && before=\${COMP_WORDS[COMP_CWORD - 2]}

  case $command$before in
${commandNames.flatMap(values).join('\n')}
  esac

  if [ "$COMP_CWORD" -eq 1 ] && [[ $word != -* ]]; then
    _pg_replstatus_reply -W '${commandNames.join(' ')}' -- "$word"
    return
  fi
  case $command in
${commandNames.map(words).join('\n')}
  esac
}

# One answer a line: names of files have blanks.
_pg_replstatus_reply() {
  mapfile -t COMPREPLY < <(compgen "$@")
}

complete -F _pg_replstatus pg-replstatus
`

/** The cases of options that want a value: nothing else can stand there. */
const values = (command: CommandName): readonly string[] =>
  optionsOf(command).flatMap(([name, spec]) => {
    if (spec.value === undefined) return []
    const short = spec.short === undefined ? '' : ` | ${command}-${spec.short}`
    return `    ${command}--${name}${short}) ${valueOf(spec)}return ;;`
  })

/** Commands, each with a semicolon; none where nobody can know what it may say. */
const valueOf = ({ value, words }: OptionSpec): string => {
  if (words !== undefined) return `_pg_replstatus_reply -W '${words.join(' ')}' -- "$word"; `
  const action = value === 'DIR' ? '-d' : value === 'PATH' || value === 'FILE' ? '-f' : null
  if (action === null) return ''
  // Out of a completion, as in a test, there are no options to set.
  return `compopt -o filenames 2>/dev/null; _pg_replstatus_reply ${action} -- "$word"; `
}

/** What may stand where no value is wanted: options, and names of hosts for `query`. */
const words = (command: CommandName): string => {
  const options = optionsOf(command).flatMap(([name, { short }]) =>
    [short === undefined ? null : `-${short}`, `--${name}`, negationOf(name)].filter(
      word => word !== null,
    ),
  )
  const operands = command === 'query' ? ' -A hostname' : ''
  const also = command === 'serve' ? ' -V --version' : ''
  return `    ${command}) _pg_replstatus_reply${operands} -W '${options.join(' ')}${also}' -- "$word" ;;`
}
