import type { Store } from '@fernlab/hub/store/store'
import type { ExchangeWay } from '@fernlab/shared/contracts/direct-use'
import { newId } from '@fernlab/shared/primitives/ids'

export const minute = 60_000

/** A bench driven by hand in the tables, and given back. */
export async function storeDirectUse(
  store: Store,
  use: {
    readonly person: string
    readonly at: number
    readonly bench?: string
    readonly lasts?: number
    readonly address?: string
    readonly country?: string
    readonly exchanges?: readonly {
      readonly set: object
      readonly error?: string
      readonly way?: ExchangeWay
      readonly address?: string
    }[]
  },
): Promise<{ id: string }> {
  const { person, at, bench = 'n.a', lasts = 10 * minute, exchanges = [] } = use
  const id = newId(at)
  await store.write([
    store.db.insertInto('direct_use').values({
      ...{ id, person_id: person, bench, started_at: at, ended_at: at + lasts, ended_why: 'released' },
      ...{ client_address: use.address ?? null, country: use.country ?? null, exchanges: exchanges.length },
    }),
    ...exchanges.map(({ set, error = null, way = 'api', address = null }) =>
      store.db.insertInto('direct_command').values({
        ...{ use_id: id, at, sets: JSON.stringify(set), reads: '[]', took_ms: 1, way, client_address: address },
        ...{ error, answer: error === null ? '{}' : null },
      }),
    ),
  ])
  return { id }
}

/** A finished use of a bench in the tables, with its attempt. */
export async function storeUse(
  store: Store,
  use: {
    readonly person: string
    readonly at: number
    readonly lab?: string
    readonly protocol?: string
    readonly bench?: string
    readonly waits?: number
    readonly lasts?: number
    readonly address?: string
    readonly country?: string
    readonly parameters?: object
    readonly rows?: object
    readonly outputs?: object
    readonly note?: string
  },
): Promise<{ id: string }> {
  const { at, bench = 'n.a', waits = 0, lasts = 10 * minute } = use
  const id = newId(at)
  const [start, end] = [at + waits, at + waits + lasts]
  await store.write([
    store.db.insertInto('run').values({
      id,
      person_id: use.person,
      lab: use.lab ?? 'rc-circuit',
      lab_version: 1,
      protocol: use.protocol ?? 'charge-curve',
      protocol_digest: 'd',
      restart: 'never',
      parameters: JSON.stringify(use.parameters ?? {}),
      note: use.note ?? null,
      priority: 5,
      state: 'succeeded',
      attempt: 1,
      bench,
      fence: 1,
      created_at: at,
      assigned_at: start,
      started_at: start,
      ended_at: end,
      rows: JSON.stringify(use.rows ?? {}),
      outputs: JSON.stringify(use.outputs ?? {}),
      client_address: use.address ?? null,
      country: use.country ?? null,
    }),
    store.db.insertInto('attempt').values({
      run_id: id,
      attempt: 1,
      node: 'n',
      bench,
      fence: 1,
      state: 'succeeded',
      assigned_at: start,
      ended_at: end,
      next_seq: 0,
    }),
  ])
  return { id }
}
