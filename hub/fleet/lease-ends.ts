/** Why a lease is no more, for who had it: as the audit log has it, which outlives a start of the hub. */
import { endedBy } from '@fernlab/shared/contracts/ended-by'
import type { EndedHold } from '@fernlab/shared/contracts/services'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { namesOf } from '../accounts/names-of.ts'
import type { Store } from '../store/store.ts'

/** Written when somebody else than its holder has ended a lease. */
export interface TakenBack {
  readonly holder: string
  readonly lease: string
  readonly reason?: string
}

export interface LeaseEnds {
  /** Who has ended the holder's lease on one of the benches, and why: `lease-ended`; undefined where nobody else has. */
  of(benches: readonly string[], lease: string, holder: string): Promise<LabError | undefined>
}

/** Of each bench. */
const LOOKED_AT = 50

export function createLeaseEnds(store: Pick<Store, 'db'>): LeaseEnds {
  const found = async (bench: string, lease: string, holder: string) => {
    const rows = await store.db
      .selectFrom('audit')
      .select(['person_id', 'detail'])
      .where('subject', '=', bench)
      .where('action', '=', 'bench.released')
      .orderBy('id', 'desc')
      .limit(LOOKED_AT)
      .execute()
    for (const { person_id: by, detail } of rows) {
      const ended = JSON.parse(detail) as Partial<TakenBack>
      if (ended.lease === lease && ended.holder === holder) return { by, reason: ended.reason }
    }
    return undefined
  }
  return {
    of: async (benches, lease, holder) => {
      for (const bench of benches) {
        const ended = await found(bench, lease, holder)
        if (ended === undefined) continue
        return leaseTakenBack(bench, await endedHold(store, ended.by, ended.reason))
      }
      return undefined
    },
  }
}

/** What its holder is told of a lease that somebody else has ended. */
export const leaseTakenBack = (bench: string, ended: EndedHold): LabError =>
  new LabError({ code: 'lease-ended', kind: 'caller', ...endedBy(`your hold of ${bench}`, ended) })

/** As the holder is told: whoever has a lease is of the staff, and may see people. */
export async function endedHold(store: Pick<Store, 'db'>, by: string | null, reason?: string): Promise<EndedHold> {
  const name = by === null ? undefined : (await namesOf(store, [by])).get(by)
  return { ...(name === undefined ? {} : { by: name }), ...(reason === undefined ? {} : { reason }) }
}
