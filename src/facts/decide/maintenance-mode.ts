/** Whether an operator has taken the server out of service. */
import { plainText } from '../visible-text.ts'

export type Maintenance =
  | { readonly kind: 'none' }
  /** `because` is one line without a stop, fit to be printed. */
  | { readonly kind: 'drained'; readonly because: string }
  /** The maintenance file has not been checked yet. */
  | { readonly kind: 'not looked yet' }

export const noMaintenance: Maintenance = { kind: 'none' }

export const drained = (because: string): Maintenance => ({
  kind: 'drained',
  because: plainText(because),
})

/** Without a reason. */
export const drainedByHand = drained('drained by hand')

/** Maintenance by a file, whose first line is the reason. */
export const drainedByFile = (text: string): Maintenance => {
  const [firstLine = ''] = text.split(/[\r\n]/, 1)
  const because = firstLine.trim()
  return because === '' ? drainedByHand : drained(because)
}
