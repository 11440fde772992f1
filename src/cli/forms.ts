/** What options may say. */
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import type { Form } from './settings.ts'

export const whole = (least: number, most: number): Form<number> => ({
  wanted: `a whole number from ${least} to ${most}`,
  read: text => {
    const value = Number(text)
    return /^\d+$/.test(text) && value >= least && value <= most ? value : null
  },
})

/** Made absolute. */
export const path: Form<string> = {
  wanted: 'a path',
  read: text => (text === '' ? null : resolve(text)),
}

export const oneOf = <const Word extends string>(words: readonly Word[]): Form<Word> => ({
  wanted: `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`,
  read: text => words.find(word => word === text) ?? null,
})

export const ipAddress: Form<string> = {
  wanted: 'an IPv4 or IPv6 address',
  read: text => (isIP(text) === 0 ? null : text),
}

/** As PostgreSQL's own configuration has it. */
export const onOff: Form<boolean> = {
  wanted: 'on or off',
  read: text => {
    if (/^(on|true|yes|1)$/i.test(text)) return true
    return /^(off|false|no|0)$/i.test(text) ? false : null
  },
}

/** For /bin/sh, which alone can tell what is wrong with it. */
export const shellCommand: Form<string> = {
  wanted: 'a command',
  read: text => (text.trim() === '' ? null : text),
}
