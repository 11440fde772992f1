/**
 * Asks a daemon for a page, once: that of another member for `/member`, or for `/cluster` the one
 * that an operator names.
 *
 * The answer may be anything. Its size and the time for all of
 * it are limited, redirections are not followed, and no connection is kept.
 */
import { lookup, type LookupAddress } from 'node:dns'
import { request, type ClientRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as secureRequest } from 'node:https'
import { isIP, type Socket } from 'node:net'
import type { Member } from '../../facts/decide/member.ts'
import { fact, fault, type Outcome } from '../../facts/outcome.ts'
import { decodeCluster, type ClusterView } from '../../facts/report/cluster-view.ts'
import { decodeDaemon, type DaemonView } from '../../facts/report/daemon-view.ts'
import { decodeHistory, type HistoryView } from '../../facts/report/history-view.ts'
import { decodeMember } from '../../facts/report/member-json.ts'
import type { Timers } from '../../facts/timers.ts'
import { plainText } from '../../facts/visible-text.ts'
import { errorCode } from '../system/system-error.ts'

export type Peer = {
  /** As the operator wrote it. */
  readonly text: string
  readonly secure: boolean
  /** A name or an address. */
  readonly host: string
  readonly port: number
  /** A Unix socket, in the place of a host. */
  readonly socketPath?: string
}

/** In PEM, for https: our own certificate, for peers that require one, and the authorities. */
export type PeerTls = {
  readonly cert: string
  readonly key: string
  /** Null for those of the system. */
  readonly ca: string | null
}

/** The fault is the reason, for people. */
export type Asking<Value> = {
  /** Never rejects; not before `cancel` or the end of the time. */
  readonly answer: Promise<Outcome<Value, string>>
  readonly cancel: () => void
}

export type Ask<Value> = (peer: Peer, timeoutMs: number) => Asking<Value>

export type PeerAnswer = Outcome<Member, string>
export type AskPeer = Ask<Member>

/** What is asked for, and how the answer is read. The fault is what is wrong with it. */
type Question<Value> = {
  readonly path: string
  readonly decode: (text: string) => Outcome<Value, string>
}

const memberQuestion: Question<Member> = { path: '/member', decode: decodeMember }
const clusterQuestion: Question<ClusterView> = { path: '/cluster', decode: decodeCluster }
const historyQuestion: Question<HistoryView> = { path: '/history', decode: decodeHistory }
const statusQuestion: Question<DaemonView> = { path: '/status', decode: decodeDaemon }

/** With its head: as much as a history file may have, as JSON. */
export const answerBytesMax = 1024 * 1024
/** Segments of a network are hundreds of bytes long. */
export const answerPiecesMax = 4096

export const createPeerClient = (
  timers: Timers,
  tls: () => PeerTls | null,
  resolve: Resolve = createResolver(),
): AskPeer => createClient(memberQuestion, { timers, tls, resolve })

/** With the authorities of the system, and no certificate of our own. */
const clientFor =
  <Value>(question: Question<Value>) =>
  (timers: Timers): Ask<Value> =>
    createClient(question, { timers, tls: () => null, resolve: createResolver() })

export const createClusterClient = clientFor(clusterQuestion)
/** Asks what a daemon answers for its data directory. */
export const createStatusClient = clientFor(statusQuestion)
/** Asks for the last changes of a daemon. */
export const createHistoryClient = clientFor(historyQuestion)

const createClient = <Value>(
  { path, decode }: Question<Value>,
  {
    timers,
    tls,
    resolve,
  }: {
    readonly timers: Timers
    readonly tls: () => PeerTls | null
    readonly resolve: Resolve
  },
): Ask<Value> => {
  const send = (peer: Peer, addresses: readonly LookupAddress[]): ClientRequest => {
    const options: RequestOptions = {
      host: peer.host,
      port: peer.port,
      path,
      agent: false,
      headers: { Host: hostHeader(addresses) },
      // Node tries one address after the other, each for a quarter of a second.
      lookup: (_host, _options, done) => {
        done(null, [...addresses])
      },
    }
    const { socketPath } = peer
    if (socketPath !== undefined)
      return request({ socketPath, path, agent: false, headers: { Host: 'localhost' } })
    if (!peer.secure) return request(options)
    const { ca = null, ...own } = tls() ?? {}
    return secureRequest({
      ...options,
      ...own,
      ...(ca === null ? {} : { ca }),
      servername: isIP(peer.host) === 0 ? peer.host : '',
    })
  }
  return (peer, timeoutMs) => {
    let end: (answer: Outcome<Value, string>) => void = ignore
    let sent: ClientRequest | null = null
    const answer = new Promise<Outcome<Value, string>>(settle => {
      const timer = timers.after(timeoutMs, () => {
        end(fault(`no answer within ${timeoutMs} ms`))
      })
      end = found => {
        end = ignore
        timer.cancel()
        sent?.destroy()
        settle(found)
      }
    })
    const endWith = (found: Received): void => {
      end(found.ok ? read(found.fact, decode) : found)
    }
    const ask = async (): Promise<void> => {
      const addresses = peer.socketPath === undefined ? await resolve(peer.host) : fact([])
      if (end === ignore) return
      if (!addresses.ok) return end(addresses)
      sent = send(peer, addresses.fact)
      sent.on('error', error => {
        end(fault(errorCode(error)))
      })
      const countPiece = createPieceLimit(() => {
        end(fault(`its answer is in more than ${answerPiecesMax} pieces`))
      })
      sent.on('socket', socket => {
        limitBytes(socket, () => {
          end(fault(`its answer is longer than ${answerBytesMax} bytes`))
        })
      })
      sent.on('information', countPiece)
      sent.on('response', response => {
        response.on('data', countPiece)
        receive(response, endWith)
      })
      sent.end()
    }
    void ask()
    return {
      answer,
      cancel: () => {
        end(fault('canceled'))
      },
    }
  }
}

const ignore = (): void => {}

/** An address, whatever the name is: it is allowed as a host everywhere (http-access.ts). */
const hostHeader = ([first]: readonly LookupAddress[]): string =>
  first?.family === 6 ? `[${first.address}]` : String(first?.address)

const read = <Value>(text: string, decode: Question<Value>['decode']): Outcome<Value, string> => {
  const decoded = decode(text)
  return decoded.ok ? decoded : fault(`its answer is not valid: ${decoded.fault}`)
}

/** Of the connection, and not of the body: what is around it may be any number of times as much. */
const limitBytes = (socket: Socket, exceeded: () => void): void => {
  let length = 0
  socket.on('data', (chunk: Buffer) => {
    length += chunk.length
    if (length > answerBytesMax) exceeded()
  })
}

/** Each takes time, however short it is: interim answers, and chunks of a body. */
const createPieceLimit = (exceeded: () => void): (() => void) => {
  let pieces = 0
  return () => {
    pieces += 1
    if (pieces > answerPiecesMax) exceeded()
  }
}

type Received = Outcome<string, string>

const receive = (response: IncomingMessage, end: (received: Received) => void): void => {
  let text = ''
  response.setEncoding('utf8')
  response.on('data', (chunk: string) => {
    text += chunk
  })
  response.on('error', error => {
    end(fault(errorCode(error)))
  })
  response.on('end', () => {
    const { statusCode } = response
    if (statusCode === 200) end(fact(text))
    else end(fault(`HTTP status ${statusCode}: ${plainText(text.trim())}`))
  })
}

/** The addresses of a name, at least one, or the error of the resolver. */
export type Resolve = (host: string) => Promise<Outcome<readonly LookupAddress[], string>>

/**
 * A resolver that hangs occupies a thread of libuv, of which there are four, so that there is one
 * query at a time for each name.
 */
export const createResolver = (find = lookup): Resolve => {
  const pending = new Map<string, ReturnType<Resolve>>()
  const query: Resolve = host =>
    new Promise(settle => {
      find(host, { all: true }, (error, addresses) => {
        pending.delete(host)
        settle(error === null ? fact(addresses) : fault(errorCode(error)))
      })
    })
  return host => {
    const family = isIP(host)
    if (family !== 0) return Promise.resolve(fact([{ address: host, family }]))
    const found = pending.get(host) ?? query(host)
    pending.set(host, found)
    return found
  }
}
