/** A socket as a server hears of it, without a connection: only its address counts. */
import { Socket } from 'node:net'

export const socketFrom = (address: string | undefined): Socket =>
  Object.defineProperty(new Socket(), 'remoteAddress', { value: address })
