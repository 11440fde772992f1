/** Whether an operator has taken the server out of service. */
import { plainText } from '../visible-text.ts'

export type Maintenance =
  | { readonly kind: 'none' }
  /** `because` is one line without a stop, fit to be printed. */
  | { readonly kind: 'on'; readonly because: string }
  /** The maintenance file has not been checked yet. */
  | { readonly kind: 'not yet checked' }

export const noMaintenance: Maintenance = { kind: 'none' }

export const maintenanceOn = (because: string): Maintenance => ({
  kind: 'on',
  because: plainText(because),
})

/** Without a reason. */
export const maintenanceWithoutReason = maintenanceOn('maintenance mode is on')

/** Maintenance by a file, whose first line is the reason. */
export const maintenanceByFile = (text: string): Maintenance => {
  const [firstLine = ''] = text.split(/[\r\n]/, 1)
  const because = firstLine.trim()
  return because === '' ? maintenanceWithoutReason : maintenanceOn(because)
}
