/** A cluster whose listen addresses exclude each other. */
import { exclude, portOrPath, type Endpoint } from '../../serve/endpoint.ts'
import { listenAddressesOf } from '../options/listen-addresses.ts'
import type { OptionName } from '../options/option-table.ts'
import type { OperatorError } from '../output/operator-error.ts'
import type { SurfaceOptions } from './surfaces.ts'

/**
 * Two listen addresses of this cluster that exclude each other. Opening them would not fail if the
 * first is closed because there is no role, and then the second would take its port.
 */
export const ownConflict = (
  options: SurfaceOptions,
  /** How the operator set an option for an endpoint, or can set it. */
  sourceFor: (option: OptionName, endpoint: Endpoint) => string,
): OperatorError | null => {
  // Passed sockets replace --port and --bind.
  const addresses = listenAddressesOf(options).filter(
    ({ by }) => options.sockets.length === 0 || by.port !== 'port',
  )
  for (const [index, address] of addresses.entries()) {
    const earlier = addresses.slice(0, index).find(one => exclude(one, address))
    if (earlier === undefined) continue
    const isSame = earlier.by.port === address.by.port
    const [first, second] = [earlier, address].map(one =>
      isSame
        ? `${sourceFor(one.by.address, one)} on ${one.address ?? 'every address'}`
        : sourceFor(one.by.port, one),
    )
    return {
      message: `${portOrPath(address)} is used twice, by ${first} and ${second}`,
      hint: 'use another port, or a separate address for each',
    }
  }
  return null
}
