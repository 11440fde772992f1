/** The addresses that a cluster listens on, and the options that set them. */
import type { Endpoint, EndpointOptions } from '../../serve/endpoint.ts'
import { endpointOrPath, ipAddress } from './option-forms.ts'
import type { OptionName } from './option-table.ts'
import type { ServeOptions } from './option-values.ts'
import type { Given, GivenOptions } from './settings.ts'

export type ListenAddress = Endpoint & {
  /** The options that set it. */
  readonly by: EndpointOptions<OptionName>
}

/** Those of the port that reports the role. */
export const roleOptions: EndpointOptions<OptionName> = { port: 'port', address: 'bind' }

/** In the order in which they are opened. */
export const listenAddressesOf = (options: ServeOptions): readonly ListenAddress[] => {
  const { port, bind, http, httpHealth, agent } = options
  const role = (bind.length === 0 ? [null] : bind).map(address => ({ address, port }))
  return [
    ...setBy(roleOptions, role),
    ...setBy(both('http'), http),
    ...setBy(both('http-health'), httpHealth),
    ...setBy(both('agent'), agent),
  ]
}

const setBy = (
  by: EndpointOptions<OptionName>,
  endpoints: readonly Endpoint[],
): readonly ListenAddress[] => endpoints.map(({ address, port }) => ({ address, port, by }))

/** One option sets both the address and the port. */
const both = (name: OptionName): EndpointOptions<OptionName> => ({ port: name, address: name })

/** Where this option was given for this endpoint; null if it was not. */
export const givenFor = (
  given: GivenOptions,
  option: OptionName,
  { address, port }: Endpoint,
): Given | null => {
  const all = given.get(option) ?? []
  const isMeant = ({ text }: Given): boolean => {
    if (option === 'bind') return ipAddress.read(text) === address
    const found = endpointOrPath.read(text)
    return found?.address === address && found.port === port
  }
  return all.find(isMeant) ?? all.at(-1) ?? null
}
