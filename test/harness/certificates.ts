/** Certificates for tests, made by openssl when they are needed and gone with the test. */
import { chmodSync, chownSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { needProgram } from './needs.ts'
import { runProgram } from './programs.ts'
import { serverUser } from './server-user.ts'

export const openssl = needProgram('openssl')

export type Certificate = {
  readonly cert: string
  readonly key: string
}

export type Authority = Certificate & {
  /** Valid from now on, for 30 days unless `days` says otherwise. */
  readonly issue: (
    name: string,
    options?: { readonly days?: number; readonly usage?: 'serverAuth' | 'clientAuth' },
  ) => Promise<Certificate>
}

const keyArgs = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

/** Readable by the server user, keys for nobody else. */
const lend = (path: string, mode: number): string => {
  const { uid, gid } = serverUser()
  chownSync(path, uid, gid)
  chmodSync(path, mode)
  return path
}

/** In `folder`, which servers can read. */
export const createAuthority = async (folder: string, name: string): Promise<Authority> => {
  const program = openssl.get()
  const run = (...args: readonly string[]) => runProgram({ program, args, cwd: folder })
  const at = (file: string): string => join(folder, file)
  const own = { cert: at(`${name}.crt`), key: at(`${name}.key`) }
  const subject = ['-subj', `/CN=${name}`]
  await run('req', '-x509', ...keyArgs, '-keyout', own.key, '-out', own.cert, ...subject)
  lend(own.cert, 0o644)
  return {
    ...own,
    issue: async (of, { days = 30, usage } = {}) => {
      const [cert, key, request, extensions] = ['crt', 'key', 'csr', 'ext'].map(type =>
        at(`${of}.${type}`),
      ) as [string, string, string, string]
      const lines = ['subjectAltName=IP:127.0.0.1,DNS:localhost']
      if (usage !== undefined) lines.push(`extendedKeyUsage=${usage}`)
      writeFileSync(extensions, lines.join('\n'))
      await run('req', ...keyArgs, '-keyout', key, '-out', request, '-subj', `/CN=${of}`)
      const issuer = ['-CA', own.cert, '-CAkey', own.key, '-CAcreateserial']
      const ends = ['-days', String(days), '-extfile', extensions]
      await run('x509', '-req', '-in', request, ...issuer, ...ends, '-out', cert)
      return { cert: lend(cert, 0o644), key: lend(key, 0o600) }
    },
  }
}

export const pem = (path: string): { readonly path: string; readonly text: string } => ({
  path,
  text: readFileSync(path, 'utf8'),
})
