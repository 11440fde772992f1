/** What options may say. */
import { isIP } from 'node:net'
import { resolve } from 'node:path'
import type { Network } from '../serve/allow-list.ts'
import type { Endpoint } from '../serve/endpoint.ts'
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

/** Where to listen. Port 0 lets the system pick a free one. */
export const endpoint: Form<Endpoint> = {
  wanted: 'ADDRESS:PORT, [IPV6]:PORT or PORT',
  read: text => {
    const [, bracketed, plain, portText = ''] =
      /^(?:\[([^\]]*)\]:|([^:[\]]*):)?(\d{1,5})$/.exec(text) ?? []
    const address = bracketed ?? plain ?? null
    const port = Number(portText)
    if (portText === '' || port > 65_535) return null
    if (address !== null && isIP(address) !== (bracketed === undefined ? 4 : 6)) return null
    return { address, port }
  },
}

/** A bare address is a network of one. */
export const network: Form<Network> = {
  wanted: 'an address, or a network as 192.0.2.0/24 or 2001:db8::/32',
  read: text => {
    const [, address = '', prefixText] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
    const family = isIP(address)
    const most = family === 4 ? 32 : 128
    const prefix = Number(prefixText ?? most)
    return family === 0 || prefix > most ? null : { address, prefix }
  },
}

/** As PostgreSQL's own configuration has it. */
export const onOff: Form<boolean> = {
  wanted: 'on or off',
  read: text => {
    if (/^(on|true|yes|1)$/i.test(text)) return true
    return /^(off|false|no|0)$/i.test(text) ? false : null
  },
}
