/**
 * Completion for bash, made from the table of options. It is a file of the packages, not a part of
 * the program. It needs nothing but bash, and works with and without bash-completion.
 */
import { negationOf, optionsOf } from './option-list.ts'
import { commandNames, type CommandName, type OptionSpec } from './option-spec.ts'

/** The script; ends with a line feed. */
export const bashCompletion = (): string => `\
# Completion of pg-replstatus for bash.

_pg_replstatus() {
  local word=\${COMP_WORDS[COMP_CWORD]} before=\${COMP_WORDS[COMP_CWORD - 1]} command=serve
  COMPREPLY=()
  case \${COMP_WORDS[1]} in
    ${commandNames.join(' | ')}) command=\${COMP_WORDS[1]} ;;
  esac
  # For bash, the = in --option=value is a separate word.
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

/** The cases of options with a value, which must follow them. */
const values = (command: CommandName): readonly string[] =>
  optionsOf(command).flatMap(([name, spec]) => {
    if (spec.value === undefined) return []
    const short = spec.short === undefined ? '' : ` | ${command}-${spec.short}`
    return `    ${command}--${name}${short}) ${valueOf(spec)}return ;;`
  })

/** Commands, each with a semicolon; empty if there is nothing to suggest. */
const valueOf = ({ value, words }: OptionSpec): string => {
  if (words !== undefined) return `_pg_replstatus_reply -W '${words.join(' ')}' -- "$word"; `
  if (value === 'NAME') return `_pg_replstatus_reply -u -- "$word"; `
  const action = value === 'DIR' ? '-d' : value === 'PATH' || value === 'FILE' ? '-f' : null
  if (action === null) return ''
  // Outside of a completion, as in a test, compopt fails.
  return `compopt -o filenames 2>/dev/null; _pg_replstatus_reply ${action} -- "$word"; `
}

/** The words that need not follow an option: options, and host names if others are asked. */
const words = (command: CommandName): string => {
  const options = optionsOf(command).flatMap(([name, { short }]) =>
    [short === undefined ? null : `-${short}`, `--${name}`, negationOf(name)].filter(
      word => word !== null,
    ),
  )
  const operands = ['history', 'query', 'cluster'].includes(command) ? ' -A hostname' : ''
  const also = command === 'serve' ? ' -V --version' : ''
  return `    ${command}) _pg_replstatus_reply${operands} -W '${options.join(' ')}${also}' -- "$word" ;;`
}
