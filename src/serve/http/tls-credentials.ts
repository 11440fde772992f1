/** Checks the PEM files for TLS: the result is usable as a whole, or an error. */
import { constants, createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { createSecureContext, type SecureContextOptions } from 'node:tls'
import { fact, fault, type Outcome } from '../../facts/outcome.ts'
import type { UnixMs } from '../../facts/units.ts'

export type PemFile = { readonly path: string; readonly text: string }

export type PemFiles = {
  /** The certificate of the server, followed by those of intermediate authorities. */
  readonly cert: PemFile
  /** Null if it is in the file of the certificate. */
  readonly key: PemFile | null
  /** Authorities for client certificates; null if none are required. */
  readonly clientCa: PemFile | null
}

/** In PEM. */
type Secrets = { readonly cert: string; readonly key: string; readonly ca: string | null }

export type Credentials = Secrets & {
  /** The earliest expiry time of the certificates in the file. */
  readonly expiresAt: UnixMs
}

export type CredentialsFault = { readonly message: string; readonly hint: string }

export const judgeCredentials = (
  { cert, key, clientCa }: PemFiles,
  now: UnixMs,
): Outcome<Credentials, CredentialsFault> => {
  const chain = readCertificates(cert)
  if (!chain.ok) return chain
  const [own] = chain.fact
  const secret = key ?? cert
  const privateKey = readKey(secret)
  if (!privateKey.ok) return privateKey
  if (!own.checkPrivateKey(privateKey.fact)) return fault(otherKey(cert, secret))
  const late = chain.fact.find(one => startOf(one) > now)
  if (late !== undefined) return fault(notYetValid(cert, late))
  const expiresAt = Math.min(...chain.fact.map(endOf)) as UnixMs
  if (expiresAt <= now) return fault(expired(cert, expiresAt))
  const authorities = clientCa === null ? fact(null) : readCertificates(clientCa)
  if (!authorities.ok) return authorities
  const credentials = {
    cert: cert.text,
    key: secret.text,
    ca: clientCa === null ? null : clientCa.text,
    expiresAt,
  }
  // OpenSSL has further rules, for example for the length of keys.
  const context = attempt(() => createSecureContext(secureContextOptions(credentials)))
  return context.ok ? fact(credentials) : fault(refused(cert, context.fault))
}

/**
 * No session is resumed, although that would save handshakes: for a resumed TLS 1.3 session Node.js
 * reports a valid client certificate even if there was none (VerifyPeerCertificate() of Node.js
 * 20.20).
 */
const secureOptions = constants.SSL_OP_NO_TICKET | constants.SSL_OP_NO_RENEGOTIATION

/** For a TLS server, at the start and for each new certificate. */
export const secureContextOptions = ({ cert, key, ca }: Secrets): SecureContextOptions => ({
  cert,
  key,
  ...(ca === null ? {} : { ca }),
  minVersion: 'TLSv1.2',
  secureOptions,
})

type Certificates = readonly [X509Certificate, ...X509Certificate[]]

const readCertificates = (file: PemFile): Outcome<Certificates, CredentialsFault> => {
  const blocks = file.text.match(
    /^-----BEGIN CERTIFICATE-----$[^]*?^-----END CERTIFICATE-----\r?$/gm,
  )
  const [first, ...others] = blocks ?? []
  if (first === undefined) return fault(noCertificate(file))
  const read = attempt((): Certificates => [
    new X509Certificate(first),
    ...others.map(block => new X509Certificate(block)),
  ])
  return read.ok ? read : fault(damaged(file, read.fault))
}

const readKey = (file: PemFile): Outcome<KeyObject, CredentialsFault> => {
  if (!/^-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----/m.test(file.text)) return fault(noKey(file))
  if (/^-----BEGIN ENCRYPTED |^Proc-Type: 4,ENCRYPTED/m.test(file.text)) {
    return fault(encrypted(file))
  }
  const key = attempt(() => createPrivateKey(file.text))
  return key.ok ? key : fault(damaged(file, key.fault))
}

/** The errors are those of OpenSSL, which have a code. */
const attempt = <Value>(make: () => Value): Outcome<Value, string> => {
  try {
    return fact(make())
  } catch (error) {
    return fault(String((error as NodeJS.ErrnoException).code))
  }
}

const startOf = ({ validFrom }: X509Certificate): number => Date.parse(validFrom)
const endOf = ({ validTo }: X509Certificate): number => Date.parse(validTo)
const day = (at: number): string => new Date(at).toISOString().replace('.000Z', 'Z')

const noCertificate = ({ path }: PemFile): CredentialsFault => ({
  message: `${path} has no certificate in PEM format`,
  hint: 'convert a DER file with: openssl x509 -inform der -in FILE -out NEW',
})

const noKey = ({ path }: PemFile): CredentialsFault => ({
  message: `${path} has no private key in PEM format`,
  hint: 'specify the file of the key with --http-key',
})

const encrypted = ({ path }: PemFile): CredentialsFault => ({
  message: `the private key in ${path} is encrypted, which is not supported`,
  hint: 'remove the password with: openssl pkey -in FILE -out NEW',
})

const damaged = ({ path }: PemFile, code: string): CredentialsFault => ({
  message: `could not read ${path}: ${code}`,
  hint: 'compare it with the file from the certificate authority',
})

const otherKey = (cert: PemFile, key: PemFile): CredentialsFault => ({
  message: `the private key in ${key.path} does not match the certificate in ${cert.path}`,
  hint: 'the certificate of this server must be the first one in its file',
})

const notYetValid = ({ path }: PemFile, certificate: X509Certificate): CredentialsFault => ({
  message: `the certificate in ${path} is not valid before ${day(startOf(certificate))}`,
  hint: 'check the clock of this host',
})

const expired = ({ path }: PemFile, at: number): CredentialsFault => ({
  message: `the certificate in ${path} expired at ${day(at)}`,
  hint: 'renew it',
})

const refused = ({ path }: PemFile, code: string): CredentialsFault => ({
  message: `the certificate in ${path} cannot be used: ${code}`,
  hint: 'OpenSSL may require a longer key, or a newer signature algorithm',
})
