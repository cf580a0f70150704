import type {
  Bench,
  Data,
  Invitation,
  LabDetail,
  LabReadme,
  LabSummary,
  Me,
  NodeInfo,
  PersonInfo,
  Run,
  SchedulingRules,
  Site,
  storageSchema,
  Token,
} from '@fernlab/shared/contracts/api'
import type { Outage } from '@fernlab/shared/contracts/bench-care'
import type { BenchHistory, BenchLetters } from '@fernlab/shared/contracts/bench-checks'
import type { SignalCalibrations } from '@fernlab/shared/contracts/calibrations'
import type { DirectoryEntry, DirectoryService } from '@fernlab/shared/contracts/directory'
import type { NodeHardware } from '@fernlab/shared/contracts/hardware'
import type { LabServerRules, Session } from '@fernlab/shared/contracts/sessions'
import type { SecondFactorState, SignInRules } from '@fernlab/shared/contracts/sign-in'
import type { UsagePreview, UsageRules } from '@fernlab/shared/contracts/usage'
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query'
import type { z } from 'zod'
import { type Api, ApiProblem, isSignInNeeded } from './client.ts'
import { wholeList } from './whole-list.ts'

export interface Page<Item> {
  readonly items: readonly Item[]
  readonly cursor?: string
}

export type Storage = z.infer<typeof storageSchema>

const v1 = '/api/v1'

/** Of what the hub may answer to strangers as well: its answer says nothing of who asks. */
const open = { isOpen: true }

/** Builds `?a=1&b=2`, leaving out what is undefined. */
export function queryString(values: Readonly<Record<string, string | number | undefined>>): string {
  const entries = Object.entries(values).filter((entry): entry is [string, string | number] => entry[1] !== undefined)
  const text = new URLSearchParams(entries.map(([name, value]) => [name, String(value)])).toString()
  return text === '' ? '' : `?${text}`
}

export const siteQuery = (api: Api) =>
  queryOptions({
    queryKey: ['site'],
    queryFn: ({ signal }) => api.get<Site>(`${v1}/site`, signal),
    staleTime: 60_000,
    meta: open,
  })

/** The person who is signed in; null for a stranger. Whose sign-in ends while the page is open stays, with the refusal as error. */
export const meQuery = (api: Api) =>
  queryOptions({
    queryKey: ['me'],
    queryFn: async ({ client, queryKey, signal }) => {
      try {
        return await api.get<Me>(`${v1}/me`, signal)
      } catch (error) {
        if (isSignInNeeded(error) && client.getQueryData<Me | null>(queryKey) != null) throw error
        if (error instanceof ApiProblem && (error.status === 401 || error.status === 403)) return null
        throw error
      }
    },
    staleTime: 60_000,
  })

export const labsQuery = (api: Api) =>
  queryOptions({
    queryKey: ['labs'],
    queryFn: ({ signal }) => wholeList<LabSummary>(api, `${v1}/labs`, signal),
    refetchInterval: 10_000,
    meta: open,
  })

export const labQuery = (api: Api, lab: string) =>
  queryOptions({
    queryKey: ['labs', lab],
    queryFn: ({ signal }) => api.get<LabDetail>(`${v1}/labs/${lab}`, signal),
    refetchInterval: 10_000,
    meta: open,
  })

/** A version's text stays as it is. */
export const readmeQuery = (api: Api, { id, version }: Pick<LabDetail, 'id' | 'version'>, language: string) =>
  queryOptions({
    queryKey: ['labs', id, 'readme', version, language],
    queryFn: ({ signal }) => api.get<LabReadme>(`${v1}/labs/${id}/readme${queryString({ language })}`, signal),
    staleTime: Number.POSITIVE_INFINITY,
    meta: open,
  })

/** `state` is one state; without it, all. */
export interface RunFilter {
  /** Without it staff see everybody's, others their own. */
  readonly person: string | undefined
  readonly group?: string | undefined
  readonly lab?: string | undefined
  readonly state?: string | undefined
  readonly limit?: number | undefined
}

export const runsQuery = (api: Api, filter: RunFilter) =>
  infiniteQueryOptions({
    queryKey: ['runs', 'list', filter],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<Run>>(`${v1}/runs${queryString({ limit: 25, ...filter, cursor: pageParam })}`, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.cursor,
    refetchInterval: 10_000,
  })

/** The person's runs that wait or run, newest first. */
export const activeRunsQuery = (api: Api, person: string) =>
  queryOptions({
    queryKey: ['runs', 'active', person],
    queryFn: ({ signal }) =>
      api.get<Page<Run>>(`${v1}/runs${queryString({ limit: 10, state: 'queued,assigned,running', person })}`, signal),
    refetchInterval: (query) => ((query.state.data?.items.length ?? 0) > 0 ? 2_000 : 8_000),
  })

export const runQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: ['runs', 'one', id],
    queryFn: ({ signal }) => api.get<Run>(`${v1}/runs/${id}`, signal),
    staleTime: 5_000,
  })

export interface DataRequest {
  readonly stream: string
  readonly attempt?: number | undefined
  readonly from?: number | undefined
  readonly to?: number | undefined
  readonly points?: number | undefined
}

export const dataQuery = (api: Api, id: string, request: DataRequest) =>
  queryOptions({
    queryKey: ['runs', 'data', id, request],
    queryFn: ({ signal }) => api.get<Data>(`${v1}/runs/${id}/data.json${queryString({ ...request })}`, signal),
    staleTime: Number.POSITIVE_INFINITY,
    placeholderData: (previous) => previous,
  })

const isBeingChecked = ({ checks = [] }: Bench): boolean =>
  checks.some(({ asked, underWay }) => asked === true || underWay !== undefined)

export const benchesQuery = (api: Api) =>
  queryOptions({
    queryKey: ['benches'],
    queryFn: ({ signal }) => wholeList<Bench>(api, `${v1}/benches`, signal),
    refetchInterval: ({ state }) => (state.data?.items.some(isBeingChecked) ? 1_000 : 5_000),
  })

/** By what the signals of a node are calibrated, as the node itself says. */
export const calibrationsQuery = (api: Api, node: string) =>
  queryOptions({
    queryKey: ['nodes', node, 'calibrations'],
    queryFn: ({ signal }) =>
      api.get<{ items: readonly SignalCalibrations[] }>(`${v1}/nodes/${node}/calibrations`, signal),
    refetchInterval: 60_000,
  })

export const nodeAddress = (node: string): string => `${v1}/nodes/${node}`

/** What a node finds on its machine; asked of the node, so only when somebody looks. */
export const hardwareQuery = (api: Api, node: string) =>
  queryOptions({
    queryKey: ['nodes', node, 'hardware'],
    queryFn: ({ signal }) => api.get<NodeHardware>(`${nodeAddress(node)}/hardware`, signal),
    staleTime: 60_000,
    retry: false,
  })

/** When the bench is not for runs, the soonest first. */
export const outagesQuery = (api: Api, bench: string) =>
  queryOptions({
    queryKey: ['benches', bench, 'outages'],
    queryFn: ({ signal }) => api.get<{ items: readonly Outage[] }>(`${v1}/benches/${bench}/outages`, signal),
    refetchInterval: 30_000,
  })

/** What became of a bench in the last 30 days, and its uptime. */
export const benchHistoryQuery = (api: Api, bench: string) =>
  queryOptions({
    queryKey: ['benches', bench, 'history'],
    queryFn: ({ signal }) => api.get<BenchHistory>(`${v1}/benches/${bench}/history`, signal),
    refetchInterval: 30_000,
  })

/** Whether one gets letters about benches. */
export const benchLettersQuery = (api: Api) =>
  queryOptions({
    queryKey: ['bench-letters'],
    queryFn: ({ signal }) => api.get<BenchLetters>(`${v1}/me/bench-letters`, signal),
  })

export const nodesQuery = (api: Api) =>
  queryOptions({
    queryKey: ['nodes'],
    queryFn: ({ signal }) => wholeList<NodeInfo>(api, `${v1}/nodes`, signal),
    refetchInterval: 5_000,
  })

export const servicesQuery = (api: Api) =>
  queryOptions({
    queryKey: ['services'],
    queryFn: ({ signal }) => wholeList<DirectoryEntry>(api, `${v1}/directory`, signal),
    refetchInterval: 5_000,
  })

export const serviceQuery = (api: Api, node: string, service: string) =>
  queryOptions({
    queryKey: ['services', node, service],
    queryFn: ({ signal }) =>
      api.get<DirectoryService>(`${v1}/directory/${encodeURIComponent(`${node}/${service}`)}`, signal),
    refetchInterval: ({ state }) => (isServiceUnknown(state.error) ? false : 2_000),
  })

export const isServiceUnknown = (error: Error | null): boolean =>
  error instanceof ApiProblem && error.code === 'service-unknown'

/** People whose name or address contains the text; without it, all. */
export interface PeopleSearch {
  /** A part of the name or of the address. */
  readonly q?: string | undefined
  readonly group?: string | undefined
  readonly role?: string | undefined
}

export const peopleQuery = (api: Api, { q, group, role }: PeopleSearch) =>
  infiniteQueryOptions({
    queryKey: ['people', q, group, role],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<PersonInfo>>(`${v1}/users${queryString({ limit: 50, q, group, role, cursor: pageParam })}`, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.cursor,
    placeholderData: (previous) => previous,
  })

export const invitationsQuery = (api: Api) =>
  infiniteQueryOptions({
    queryKey: ['invitations'],
    queryFn: ({ signal, pageParam }) =>
      api.get<Page<Invitation>>(`${v1}/invitations${queryString({ limit: 20, cursor: pageParam })}`, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.cursor,
  })

export const tokensQuery = (api: Api) =>
  queryOptions({
    queryKey: ['tokens'],
    queryFn: ({ signal }) => wholeList<Token>(api, `${v1}/tokens`, signal),
  })

export const schedulingQuery = (api: Api) =>
  queryOptions({
    queryKey: ['scheduling'],
    queryFn: ({ signal }) => api.get<SchedulingRules>(`${v1}/settings/scheduling`, signal),
  })

export const storageQuery = (api: Api) =>
  queryOptions({ queryKey: ['storage'], queryFn: ({ signal }) => api.get<Storage>(`${v1}/storage`, signal) })

/** What labs with a server of their own are told of people. */
export const usageRulesQuery = (api: Api) =>
  queryOptions({
    queryKey: ['settings', 'usage'],
    queryFn: ({ signal }) => api.get<UsageRules>(`${v1}/settings/usage`, signal),
  })

/** What such rules would take away now. */
export const usagePreviewQuery = (api: Api, rules: UsageRules) =>
  queryOptions({
    queryKey: ['settings', 'usage', 'preview', rules],
    queryFn: () => api.send<UsagePreview>('POST', `${v1}/settings/usage/preview`, rules),
  })

export const labServerRulesQuery = (api: Api) =>
  queryOptions({
    queryKey: ['settings', 'lab-servers'],
    queryFn: ({ signal }) => api.get<LabServerRules>(`${v1}/settings/lab-servers`, signal),
  })

export const signInRulesQuery = (api: Api) =>
  queryOptions({
    queryKey: ['settings', 'sign-in'],
    queryFn: ({ signal }) => api.get<SignInRules>(`${v1}/settings/sign-in`, signal),
  })

export const secondFactorQuery = (api: Api) =>
  queryOptions({
    queryKey: ['me', 'second-factor'],
    queryFn: ({ signal }) => api.get<SecondFactorState>(`${v1}/me/second-factor`, signal),
  })

/** A live session; its page keeps it up to date by the session's own messages. */
export const sessionQuery = (api: Api, id: string) =>
  queryOptions({
    queryKey: ['sessions', 'one', id],
    queryFn: ({ signal }) => api.get<Session>(`${v1}/sessions/${id}`, signal),
    staleTime: 5_000,
    meta: open,
  })

/** The live sessions that are not over: for staff everybody's, or those of a group's people. */
export const openSessionsQuery = (api: Api, group?: string) =>
  queryOptions({
    queryKey: ['sessions', 'open', group ?? ''],
    queryFn: ({ signal }) => wholeList<Session>(api, `${v1}/sessions${queryString({ open: 'true', group })}`, signal),
    refetchInterval: 5_000,
  })
