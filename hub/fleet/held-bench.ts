/** What is said to whoever can't take a bench because somebody drives it, or meant another's hold. Pure. */
import type { Bench } from '@fernlab/shared/contracts/api'
import { LabError } from '@fernlab/shared/primitives/lab-error'

export interface Asker {
  /** Whether the asker may end holds of others. */
  readonly mayEnd: boolean
}

/**
 * `bench-busy` with since when it is held, by whom and what for as far as the view tells the asker, and what can be done.
 * `details` has the same for programs. The bench is one that is leased.
 */
export function heldBench(
  { id, since, mine, leasedBy, leaseReason }: Pick<Bench, 'id' | 'since' | 'mine' | 'leasedBy' | 'leaseReason'>,
  { mayEnd }: Asker,
): LabError {
  const who =
    mine === true ? 'you have it already, in another program or page,' : `${leasedBy?.name ?? 'somebody'} has it`
  const why = leaseReason === undefined ? '' : ` (${leaseReason})`
  const message = `${id} can't be taken: ${who}${since === undefined ? '' : ` since ${since}`}${why}; ${nextStep(mine === true, mayEnd)}`
  return new LabError({
    code: 'bench-busy',
    kind: 'caller',
    retry: 'later',
    message,
    details: detailsOf(since, mine, leasedBy, leaseReason),
  })
}

/**
 * `hold-changed`: somebody else has the bench than whom the caller has seen there. It says since when, and by whom and what
 * for as far as the view tells the asker; `details` has the same for programs.
 */
export function heldMeanwhile({
  id,
  leasedSince,
  mine,
  leasedBy,
  leaseReason,
}: Pick<Bench, 'id' | 'leasedSince' | 'mine' | 'leasedBy' | 'leaseReason'>): LabError {
  const who = mine === true ? 'you have it' : `${leasedBy?.name ?? 'somebody else'} has it`
  const since = leasedSince === undefined ? '' : ` since ${leasedSince}`
  const why = leaseReason === undefined ? '' : ` (${leaseReason})`
  return new LabError({
    code: 'hold-changed',
    kind: 'caller',
    message: `no hold was ended: ${id} is held by another than was meant, ${who}${since}${why}`,
    details: detailsOf(leasedSince, mine, leasedBy, leaseReason),
  })
}

const detailsOf = (
  since: string | undefined,
  mine: boolean | undefined,
  by: Bench['leasedBy'],
  reason: string | undefined,
): LabError['details'] => ({
  ...(since === undefined ? {} : { since }),
  ...(mine === true ? { mine } : {}),
  ...(by === undefined ? {} : { by: by.name }),
  ...(reason === undefined ? {} : { reason }),
})

function nextStep(isMine: boolean, mayEnd: boolean): string {
  if (isMine) return 'give it back there, or unlock it'
  return mayEnd
    ? 'wait until it is given back, or unlock it with a reason'
    : 'wait until it is given back, or ask who maintains the benches'
}
