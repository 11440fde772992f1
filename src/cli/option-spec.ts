/** What the table of options is made of. */

export type CommandName = 'serve' | 'status' | 'query'

export type OptionSpec = {
  readonly commands: readonly CommandName[]
  /** A letter. */
  readonly short?: string
  /** What its value is called; absent for a switch. */
  readonly value?: string
  /** All that it may say, where that is one of a few words. */
  readonly words?: readonly string[]
  /** Of the part of the help that lists it. */
  readonly heading: string
  /** Variable of the environment that gives it too; null for none. */
  readonly variable: string | null
  /** Lines for people, the first one beside the option. */
  readonly help: readonly string[]
}
