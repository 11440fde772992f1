/** A target of `query`, as written on the command line. */
import { isIPv6 } from 'node:net'
import { fact, fault, type Outcome } from '../../facts/outcome.ts'
import { quoteText } from '../../facts/visible-text.ts'

export const defaultPort = 5400

export type Target = { readonly host: string; readonly port: number }
export const defaultTarget: Target = { host: 'localhost', port: defaultPort }

export type TargetFault = {
  readonly kind: 'bad host' | 'bad port'
  readonly text: string
  readonly found: string
}

/** `HOST`, `HOST:PORT`, `[IPV6]`, `[IPV6]:PORT`, or an IPv6 address. */
export const parseTarget = (text: string): Outcome<Target, TargetFault> => {
  if (isIPv6(text)) return fact({ host: text, port: defaultPort })
  const colon = text.indexOf(':', text.startsWith('[') ? text.indexOf(']') : 0)
  const hostText = colon < 0 ? text : text.slice(0, colon)
  const bracketed = /^\[.*\]$/.test(hostText)
  const host = bracketed ? hostText.slice(1, -1) : hostText
  if (!(bracketed ? isIPv6(host) : /^[\w.-]+$/.test(host))) {
    return fault({ kind: 'bad host', text, found: host })
  }
  if (colon < 0) return fact({ host, port: defaultPort })
  const portText = text.slice(colon + 1)
  const port = Number(portText)
  if (!/^\d{1,5}$/.test(portText) || port < 1 || port > 65_535) {
    return fault({ kind: 'bad port', text, found: portText })
  }
  return fact({ host, port })
}

export const describeTargetFault = ({ kind, text, found }: TargetFault): string =>
  kind === 'bad host'
    ? `invalid host ${quoteText(found)} in ${quoteText(text)}: must be a name or an address`
    : `invalid port ${quoteText(found)} in ${quoteText(text)}: must be from 1 to 65535`

export const printTarget = ({ host, port }: Target): string =>
  isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`
