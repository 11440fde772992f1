/** How an option is described, and the commands. */

export const commandNames = ['serve', 'status', 'history', 'query', 'cluster'] as const
export type CommandName = (typeof commandNames)[number]

export type OptionSpec = {
  /** In the help; empty for none. */
  readonly heading: string
  readonly commands: readonly CommandName[]
  /** A letter. */
  readonly short?: string
  /** What the value is called; absent for a switch. */
  readonly value?: string
  /** All valid values, if they are a few words. */
  readonly words?: readonly string[]
  /** Its environment variable, if that is not PG_REPLSTATUS_ and the name; null for none. */
  readonly variable?: string | null
  /** Help text in lines, the first one beside the option. */
  readonly help: readonly string[]
}

type Group = Pick<OptionSpec, 'heading' | 'commands'>

/** Options below one heading of the help. */
export const group = <const Specs extends Readonly<Record<string, Omit<OptionSpec, keyof Group>>>>(
  heading: string,
  commands: Group['commands'],
  specs: Specs,
) => {
  const entries = Object.entries(specs).map(([name, spec]) => [
    name,
    { ...spec, heading, commands },
  ])
  return Object.fromEntries(entries) as { readonly [Name in keyof Specs]: Specs[Name] & Group }
}
