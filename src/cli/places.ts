/** Where a cluster answers, and who said so. */
import type { Endpoint, EndpointOptions } from '../serve/endpoint.ts'
import { endpoint as endpointForm, ipAddress } from './forms.ts'
import type { OptionName } from './option-table.ts'
import type { ServeOptions } from './option-values.ts'
import type { Given, GivenOptions } from './settings.ts'

export type Place = Endpoint & {
  /** The options that say where. */
  readonly by: EndpointOptions<OptionName>
}

/** In the order in which they are listened on. */
export const placesOf = ({ port, bind, http, agent }: ServeOptions): readonly Place[] => {
  const addresses = bind.length === 0 ? [null] : bind
  return [
    ...addresses.map(address => ({
      address,
      port,
      by: { port: 'port', address: 'bind' } as const,
    })),
    ...http.map(where => ({ ...where, by: { port: 'http', address: 'http' } as const })),
    ...agent.map(where => ({ ...where, by: { port: 'agent', address: 'agent' } as const })),
  ]
}

/** What gave this option for this endpoint; null if nothing did. */
export const givenFor = (
  given: GivenOptions,
  option: OptionName,
  { address, port }: Endpoint,
): Given | null => {
  const all = given.get(option) ?? []
  const says = ({ text }: Given): boolean => {
    if (option === 'bind') return ipAddress.read(text) === address
    const where = endpointForm.read(text)
    return where?.address === address && where.port === port
  }
  return all.find(says) ?? all.at(-1) ?? null
}
