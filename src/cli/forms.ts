/** What options may say. */
import { isIP, isIPv4, isIPv6, SocketAddress } from 'node:net'
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

export const portNumber = whole(0, 65_535)

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
  read: text => (isIP(text) === 0 ? null : canonical(text)),
}

/**
 * As the system prints it, so that one address has one spelling. An IPv4 address that is mapped
 * into IPv6 becomes itself: a socket of IPv6 alone cannot be bound to it.
 */
const canonical = (address: string): string => {
  if (isIPv4(address)) return address
  const [, zone = ''] = /(%.*)$/.exec(address) ?? []
  const plain = new SocketAddress({ family: 'ipv6', address }).address
  return /^::ffff:([\d.]+)$/.exec(plain)?.[1] ?? `${plain}${zone}`
}

/** `8008` for every address, `127.0.0.1:8008`, `[::1]:8008`. */
export const endpoint: Form<Endpoint> = {
  wanted: 'PORT, ADDRESS:PORT or [ADDRESS]:PORT, with a port from 0 to 65535',
  read: text => {
    const [, v6, v4, digits = ''] = /^(?:(?:\[(.+)\]|([^:]+)):)?([^:]+)$/.exec(text) ?? []
    const port = portNumber.read(digits)
    if (port === null || (v6 !== undefined && !isIPv6(v6)) || (v4 !== undefined && !isIPv4(v4)))
      return null
    return { address: v6 === undefined ? (v4 ?? null) : canonical(v6), port }
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

/** For /bin/sh, which alone can tell what is wrong with it. */
export const shellCommand: Form<string> = {
  wanted: 'a command',
  read: text => (text.trim() === '' ? null : text),
}
