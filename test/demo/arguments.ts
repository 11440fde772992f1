/** What the demo is asked to do, and whether somebody can press its keys. */
import { fstatSync } from 'node:fs'

export type Wishes = {
  /** By itself, without keys. */
  readonly script: boolean
  /** The members ask each other. */
  readonly withPeers: boolean
}

/** Why it does not start, and what to do instead. */
export type Refusal = { readonly message: string; readonly hint: string }

export const byItself = 'npm run demo:script shows all of it once, without keys'

const known = ['--script', '--without-peers']

/** npm takes options without a preceding `--` for itself, and sets a variable at most. */
const keptByNpm = (environment: NodeJS.ProcessEnv): string | undefined =>
  known.find(name => {
    const variable = `npm_config_${name.slice(2).replaceAll('-', '_')}`
    return environment[variable] !== undefined
  })

export const readArguments = (
  given: readonly string[],
  environment: NodeJS.ProcessEnv,
): Wishes | Refusal => {
  const unknown = given.filter(argument => !known.includes(argument))
  if (unknown.length > 0) {
    return {
      message: `unknown argument ${unknown.join(' ')}`,
      hint: 'npm run demo [-- --script --without-peers]',
    }
  }
  const kept = keptByNpm(environment)
  if (kept !== undefined && !given.includes(kept)) {
    return { message: `npm did not pass on ${kept}`, hint: `npm run demo -- ${kept}` }
  }
  const script = given.includes('--script')
  if (!script && !process.stdin.isTTY && !isPipe(0)) {
    return { message: 'standard input is not a terminal, so no key can be pressed', hint: byItself }
  }
  return { script, withPeers: !given.includes('--without-peers') }
}

/** From another program, which may press keys. */
const isPipe = (descriptor: number): boolean => {
  const seen = fstatSync(descriptor)
  return seen.isFIFO() || seen.isSocket()
}
