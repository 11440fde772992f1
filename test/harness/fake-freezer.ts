/** A control group made up for tests, frozen and thawed as the test says. */
import type { Freezer } from '../../src/observe/processes/freezer.ts'

export const fakeFreezer = () => {
  let frozen = false
  let changed: () => void = () => {}
  let isOpen = false
  const freezer: Freezer = {
    look: async () => {
      isOpen = true
      return frozen
    },
    isFrozen: () => frozen,
    watch: listener => {
      changed = listener
    },
    close: () => {
      isOpen = false
    },
  }
  return {
    freezer,
    isOpen: () => isOpen,
    freeze: (): void => {
      frozen = true
      changed()
    },
    thaw: (): void => {
      frozen = false
      changed()
    },
  }
}
