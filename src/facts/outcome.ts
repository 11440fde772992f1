/**
 * How "could not tell" is said: a fact, or a named fault. Decoders return an Outcome and never
 * throw, because half-written and foreign bytes are an everyday sight, not an exception.
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
