/**
 * Headers of the page for browsers. The policy (Content Security Policy, level 2) lets a browser
 * use only the style and the script that are our own, and connect only to this daemon: a text of
 * another member that became markup in spite of all could do nothing.
 */
import { createHash } from 'node:crypto'
import { script } from '../../facts/page/script.ts'
import { style } from '../../facts/page/style.ts'

type Headers = Readonly<Record<string, string>>

let headers: Headers | null = null

/** Made when first needed, since most daemons are never asked for the page. */
export const pageHeaders = (): Headers => (headers ??= makeHeaders())

const makeHeaders = (): Headers => {
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(style)}`,
    "connect-src 'self'",
    // The empty icon.
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ]
  return {
    'Content-Security-Policy': policy.join('; '),
    'Referrer-Policy': 'no-referrer',
    'X-Content-Type-Options': 'nosniff',
  }
}

const hashOf = (text: string): string =>
  `'sha256-${createHash('sha256').update(text).digest('base64')}'`
