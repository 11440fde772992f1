/** Reads the files for TLS, at the start and again on SIGHUP, and reports their state. */
import { constants, open } from 'node:fs/promises'
import type { Report } from '../../facts/report/event.ts'
import { fact, fault, type Outcome } from '../../facts/outcome.ts'
import type { UnixMs } from '../../facts/units.ts'
import { errorCode } from '../../observe/system/system-error.ts'
import {
  judgeCredentials,
  type Credentials,
  type PemFile,
} from '../../serve/http/tls-credentials.ts'
import type { OperatorError } from '../output/operator-error.ts'
import type { TlsFiles } from '../options/option-values.ts'

export type FoundCredentials = {
  readonly credentials: Credentials
  /** The file of the key, if every user of the machine can read it; else null. */
  readonly exposedKey: string | null
}

/** Never rejects. */
export type ReadCredentials = (
  files: TlsFiles,
  now: UnixMs,
) => Promise<Outcome<FoundCredentials, OperatorError>>

/** The certificates of all authorities that Debian trusts need a quarter of it. */
export const pemBytesMax = 1024 * 1024

export const readCredentials: ReadCredentials = async (files, now) => {
  const cert = await readPem(files.cert)
  if (!cert.ok) return cert
  const key = files.key === null ? fact(null) : await readPem(files.key)
  if (!key.ok) return key
  const clientCa = files.clientCa === null ? fact(null) : await readPem(files.clientCa)
  if (!clientCa.ok) return clientCa
  const pems = { cert: cert.fact, key: key.fact, clientCa: clientCa.fact }
  const judged = judgeCredentials(pems, now)
  if (!judged.ok) return judged
  const secret = key.fact ?? cert.fact
  return fact({ credentials: judged.fact, exposedKey: secret.readableByAll ? secret.path : null })
}

type ReadPem = PemFile & { readonly readableByAll: boolean }

const readPem = async (path: string): Promise<Outcome<ReadPem, OperatorError>> => {
  try {
    // Does not wait for the writer of a pipe.
    const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    try {
      const stat = await file.stat()
      if (!stat.isFile()) return fault(unreadable(path, 'not a file'))
      const buffer = Buffer.alloc(pemBytesMax + 1)
      const { bytesRead } = await file.read(buffer, 0, buffer.length, 0)
      if (bytesRead > pemBytesMax) return fault(unreadable(path, `over ${pemBytesMax} bytes`))
      const text = buffer.toString('utf8', 0, bytesRead)
      return fact({ path, text, readableByAll: (stat.mode & 0o004) !== 0 })
    } finally {
      await file.close()
    }
  } catch (error) {
    return fault(unreadable(path, errorCode(error)))
  }
}

const unreadable = (path: string, because: string): OperatorError => ({
  message: `could not read ${path}: ${because}`,
  hint: 'it must be a PEM file that the user that runs the server can read',
})

/** A certificate that expires earlier causes a warning. */
export const soonMs = 14 * 86_400_000

export const reportCredentials = (
  { credentials: { expiresAt }, exposedKey }: FoundCredentials,
  { file, now, report }: { readonly file: string; readonly now: UnixMs; readonly report: Report },
): void => {
  report({ kind: 'certificate taken', file, expiresAt })
  if (expiresAt - now < soonMs) {
    const expires = new Date(expiresAt).toISOString()
    const because = `the certificate in ${file} expires at ${expires}`
    report({ kind: 'certificate doubtful', because, hint: 'renew it' })
  }
  if (exposedKey !== null) {
    const because = `every user can read the private key in ${exposedKey}`
    report({ kind: 'certificate doubtful', because, hint: `chmod o= ${exposedKey}` })
  }
}
