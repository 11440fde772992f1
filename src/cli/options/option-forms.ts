/** The valid values of options, and how they are read. */
import { isIP, isIPv4, isIPv6, SocketAddress } from 'node:net'
import { resolve } from 'node:path'
import { parseSize } from '../../facts/units.ts'
import type { Network } from '../../serve/allow-list.ts'
import type { Endpoint } from '../../serve/endpoint.ts'
import type { Peer } from '../../observe/peers/peer-request.ts'
import { parseTarget, printTarget } from './query-target.ts'
import type { Form } from './settings.ts'

export const whole = (least: number, most: number): Form<number> => ({
  expected: `a whole number from ${least} to ${most}`,
  read: text => {
    const value = Number(text)
    return /^\d+$/.test(text) && value >= least && value <= most ? value : null
  },
})

export const portNumber = whole(0, 65_535)

/** The working directory changes with the account, before a configuration file is read. */
const startDirectory = resolve()

/** Made absolute. */
export const path: Form<string> = {
  expected: 'a path',
  read: text => (text === '' ? null : resolve(startDirectory, text)),
}

export const userName: Form<string> = {
  expected: 'a user name',
  read: text => (/^[^:\s]+$/.test(text) ? text : null),
}

export const oneOf = <const Word extends string>(words: readonly Word[]): Form<Word> => ({
  expected: `${words.slice(0, -1).join(', ')} or ${words.at(-1)}`,
  read: text => words.find(word => word === text) ?? null,
})

export const ipAddress: Form<string> = {
  expected: 'an IPv4 or IPv6 address',
  read: text => (isIP(text) === 0 ? null : canonical(text)),
}

/**
 * As the system prints it, so that equal addresses are equal texts. An IPv4-mapped address becomes
 * an IPv4 address: an IPv6-only socket cannot be bound to it.
 */
const canonical = (address: string): string => {
  if (isIPv4(address)) return address
  const [, zone = ''] = /(%.*)$/.exec(address) ?? []
  const plain = new SocketAddress({ family: 'ipv6', address }).address
  return /^::ffff:([\d.]+)$/.exec(plain)?.[1] ?? `${plain}${zone}`
}

/** `8008` for every address, `127.0.0.1:8008`, `[::1]:8008`. */
export const endpoint: Form<Endpoint> = {
  expected: 'PORT, ADDRESS:PORT or [ADDRESS]:PORT, with a port from 0 to 65535',
  read: text => {
    const [, v6, v4, digits = ''] = /^(?:(?:\[(.+)\]|([^:]+)):)?([^:]+)$/.exec(text) ?? []
    const port = portNumber.read(digits)
    if (port === null || (v6 !== undefined && !isIPv6(v6)) || (v4 !== undefined && !isIPv4(v4)))
      return null
    return { address: v6 === undefined ? (v4 ?? null) : canonical(v6), port }
  },
}

/** Also `unix:PATH`. */
export const endpointOrPath: Form<Endpoint> = {
  expected: `${endpoint.expected}, or unix:PATH`,
  read: text => {
    if (!text.startsWith('unix:')) return endpoint.read(text)
    const address = path.read(text.slice('unix:'.length))
    return address === null ? null : { address, port: 0 }
  },
}

/** An address without a prefix is a network of one. */
export const network: Form<Network> = {
  expected: 'an address, or a network such as 192.0.2.0/24 or 2001:db8::/32',
  read: text => {
    const [, address = '', prefixText] = /^([^/%]+)(?:\/(\d{1,3}))?$/.exec(text) ?? []
    const family = isIP(address)
    const most = family === 4 ? 32 : 128
    const prefix = Number(prefixText ?? most)
    return family === 0 || prefix > most ? null : { address, prefix }
  },
}

/** In lower case, for comparison. */
export const hostName: Form<string> = {
  expected: 'a host name without a port, or .DOMAIN for every name in a domain',
  read: text =>
    /^\.?[a-z\d_-]+(?:\.[a-z\d_-]+)*$/i.test(text) && isIP(text) === 0 ? text.toLowerCase() : null,
}

/** The spellings of PostgreSQL's configuration. */
export const onOff: Form<boolean> = {
  expected: 'on or off',
  read: text => {
    if (/^(on|true|yes|1)$/i.test(text)) return true
    return /^(off|false|no|0)$/i.test(text) ? false : null
  },
}

/** In bytes. */
export const size: Form<number> = {
  expected: 'a number of bytes, or one with B, kB, MB, GB or TB',
  read: parseSize,
}

/** For /bin/sh, which checks it when it runs it. */
export const shellCommand: Form<string> = {
  expected: 'a command',
  read: text => (text.trim() === '' ? null : text),
}

/** `HOST:PORT`, with `http://` or `https://` before it; no path. */
export const peer: Form<Peer> = {
  expected: 'HOST:PORT, http://HOST:PORT or https://HOST:PORT',
  read: text => {
    const [, scheme, place = ''] = /^(?:(https?):\/\/)?(.+?)\/?$/.exec(text) ?? []
    const target = parseTarget(place)
    if (!target.ok || printTarget(target.fact) !== place) return null
    return { text, secure: scheme === 'https', ...target.fact }
  },
}
