/** The hub's directory as the client of services uses it, asked by the page's own sign-in. */
import type { BenchHold, Directory } from '@fernlab/shared/clients/typescript/directory'
import { byHubAddress } from '@fernlab/shared/clients/typescript/ways/by-hub'
import type { Lease } from '@fernlab/shared/contracts/api'
import type { DirectoryEntry, DirectoryService, GivenServiceToken } from '@fernlab/shared/contracts/directory'
import { LONGEST_LEASE_S } from '@fernlab/shared/contracts/longest'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { ServiceContract } from '@fernlab/shared/rpc/contract/service-contract'
import { type Api, ApiProblem } from '../api/client.ts'
import { wholeList } from '../api/whole-list.ts'

interface Options {
  readonly api: Api
  /** Told until when a bench is held, each time that it is taken or renewed. */
  readonly onHold: (expiresAt: string) => void
}

const v1 = '/api/v1'

/** What the hub refuses are LabErrors with its codes; its silence is `hub-unreachable`, of the kind `link`. */
export function pageDirectory({ api, onHold }: Options): Directory {
  return {
    find: async (search = {}, signal) => {
      const query = new URLSearchParams()
      for (const [name, value] of Object.entries(search)) {
        for (const one of [value ?? []].flat()) query.append(name, one)
      }
      return (await asked(wholeList<DirectoryEntry>(api, `${v1}/directory?${query}`, signal))).items
    },
    get: async (name, signal) => {
      const path = `${v1}/directory/${encodeURIComponent(name)}`
      const { bench, ...found } = await asked(api.get<DirectoryService>(path, signal))
      return { ...found, bench, contract: found.contract as ServiceContract }
    },
    access: async (node, services, lease) => {
      const body = { services: services.map((name) => `${node}/${name}`), ...(lease === undefined ? {} : { lease }) }
      const given = await asked(api.send<GivenServiceToken>('POST', `${v1}/directory/tokens`, body))
      return { addresses: [...given.addresses, byHubAddress(node)], token: given.token, lastsMs: given.lastsMs }
    },
    hold: async (bench, { lease, reason, taking, mayResume = false } = {}): Promise<BenchHold> => {
      const path = `${v1}/benches/${encodeURIComponent(bench)}/lease`
      const body = {
        ttlS: LONGEST_LEASE_S,
        ...(lease === undefined ? {} : { lease }),
        ...(reason === undefined ? {} : { reason }),
      }
      const byTaking = taking === undefined ? {} : { 'idempotency-key': taking }
      let isResumed = false
      const taken = await asked(api.send<Lease>('POST', path, body, byTaking)).catch((thrown: unknown) => {
        if (!mayResume || !isOwnAlready(thrown)) throw thrown
        // As after the page was loaded anew. Not by the id of the taking, which has not got it and must not give it back.
        isResumed = true
        return asked(api.send<Lease>('POST', path, { ...body, resume: true }))
      })
      onHold(taken.expiresAt)
      return { lease: taken.lease, isResumed }
    },
    release: async (bench, { lease, reason, since } = {}) => {
      const query = new URLSearchParams({
        ...(lease === undefined ? {} : { lease }),
        ...(reason === undefined ? {} : { reason }),
        ...(since === undefined ? {} : { since }),
      })
      await asked(api.send('DELETE', `${v1}/benches/${encodeURIComponent(bench)}/lease?${query}`))
    },
  }
}

const isOwnAlready = (thrown: unknown): boolean =>
  thrown instanceof LabError && thrown.code === 'bench-busy' && thrown.details.mine === true

const asked = <T>(answer: Promise<T>): Promise<T> =>
  answer.catch((thrown: unknown) => {
    throw thrown instanceof ApiProblem ? labErrorOf(thrown) : thrown
  })

function labErrorOf(problem: ApiProblem): LabError {
  const isSilent = problem.code === 'network'
  return new LabError({
    code: isSilent ? 'hub-unreachable' : problem.code,
    kind: isSilent || problem.status >= 500 ? 'link' : 'caller',
    retry: isSilent || problem.status >= 500 ? 'later' : 'never',
    message: problem.message,
    ...(problem.hint === undefined ? {} : { studentMessage: problem.hint }),
    issues: problem.issues as LabError['issues'],
    details: problem.details as LabError['details'],
    cause: problem,
  })
}
