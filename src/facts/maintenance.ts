/** Whether people have taken the server out of service by hand. */
import { plainText } from './foreign-text.ts'

export type Maintenance =
  | { readonly kind: 'none' }
  /** `because` is one line without a stop, fit to be printed. */
  | { readonly kind: 'drained'; readonly because: string }
  /** Nobody knows yet whether there is the file that says so. */
  | { readonly kind: 'not looked yet' }

export const noMaintenance: Maintenance = { kind: 'none' }

export const drained = (because: string): Maintenance => ({
  kind: 'drained',
  because: plainText(because),
})

/** Where nobody says why. */
export const drainedByHand = drained('drained by hand')

/** What a file comes to that is there: its first line is the reason. */
export const drainedByFile = (text: string): Maintenance => {
  const [firstLine = ''] = text.split(/[\r\n]/, 1)
  const because = firstLine.trim()
  return because === '' ? drainedByHand : drained(because)
}
