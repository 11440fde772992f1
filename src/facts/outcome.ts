/**
 * What a decoder returns: a fact, or a named fault. It never throws, because half-written and
 * foreign bytes are normal, not an exception.
 */
export type Outcome<Fact, Fault> =
  { readonly ok: true; readonly fact: Fact } | { readonly ok: false; readonly fault: Fault }

export const fact = <Fact>(value: Fact): { readonly ok: true; readonly fact: Fact } => ({
  ok: true,
  fact: value,
})

export const fault = <Fault>(value: Fault): { readonly ok: false; readonly fault: Fault } => ({
  ok: false,
  fault: value,
})

/**
 * Error codes for a lack of descriptors (EMFILE, ENFILE), of memory or of processes (EAGAIN). What
 * was asked for is then unknown, rather than absent or hidden.
 */
export const meansShortage = (code: string): boolean => shortages.has(code)

const shortages: ReadonlySet<string> = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN'])
