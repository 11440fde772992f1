/** What the referee does itself, and therefore knows without asking anybody. */
import { now } from './testimony.ts'
import type { Deeds, Span } from './truth.ts'

/** Call it when the deed is undone. What is never undone lasts to the end. */
export type Undo = () => void

export type DeedBook = {
  /** Nobody can be served from now on. */
  readonly nobodyServed: () => Undo
  /** The probe, or what it has to see, was taken away: silence is no fault from now on. */
  readonly probeBlinded: () => Undo
  /** All that was done so far; the book is empty then, but for what is not undone yet. */
  readonly take: () => Deeds
}

type Deed = { readonly what: keyof Deeds; readonly from: number; to: number | null }

export const openDeedBook = (): DeedBook => {
  let deeds: Deed[] = []
  const begin = (what: keyof Deeds): Undo => {
    const deed: Deed = { what, from: now(), to: null }
    deeds.push(deed)
    return () => {
      deed.to ??= now()
    }
  }
  const spans = (what: keyof Deeds, until: number): readonly Span[] =>
    deeds
      .filter(deed => deed.what === what)
      .map(({ from, to }): Span => ({ from, to: to ?? until }))
  return {
    nobodyServed: () => begin('nobody'),
    probeBlinded: () => begin('blinded'),
    take: () => {
      const until = now()
      const taken = { nobody: spans('nobody', until), blinded: spans('blinded', until) }
      deeds = deeds.filter(({ to }) => to === null)
      return taken
    },
  }
}
