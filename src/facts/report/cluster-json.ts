/**
 * All members of a cluster as JSON: `GET /cluster`. The form is that of Patroni
 * (docs/rest_api.rst, "Cluster status endpoints"), with further fields. The shape is stable: fields
 * are added, never renamed or removed. fixtures/docs/cluster.md documents each.
 */
import { urlOf, type Cluster, type ClusterMember } from './cluster-members.ts'
import { printJson, type Json } from './snapshot-json.ts'

export const clusterDocument = ({ scope, members }: Cluster): string =>
  printJson({
    members: members.map(memberJson),
    scope: scope === null ? null : scope.toString(),
  })

type Fields = { readonly [field: string]: Json }

const memberJson = (member: ClusterMember): Fields => {
  const { address, port, timeline, lag, ageMs } = member
  return {
    name: member.name,
    role: member.role,
    state: member.state,
    api_url: `${urlOf(address)}/status`,
    host: address.host,
    ...known('port', port),
    ...known('timeline', timeline),
    ...known('lag', lag),
    answer: member.answer,
    rule: member.rule,
    because: member.because,
    age_ms: ageMs,
    hazards: member.hazards,
  }
}

/** As in Patroni's document, what is not known is left out. */
const known = (field: string, value: number | string | null): Fields =>
  value === null ? {} : { [field]: value }
