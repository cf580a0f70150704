/** What is said to whoever can't take a bench because somebody drives it, or meant another's hold. Pure. */
import type { Bench } from '@fernlab/shared/contracts/api'
import { heldBy } from '@fernlab/shared/contracts/held-by'
import { LabError } from '@fernlab/shared/primitives/lab-error'

export interface Asker {
  /** Whether the asker may end holds of others. */
  readonly mayEnd: boolean
}

type Held = Pick<Bench, 'id' | 'since' | 'leasedSince' | 'mine' | 'leasedBy' | 'leaseReason'>

/**
 * `bench-busy` with since when it is held, by whom and what for as far as the view tells the asker, and what can be done.
 * `details` has the same for programs. The bench is one that is leased.
 */
export function heldBench(
  { id, since, mine, leasedBy, leaseReason }: Omit<Held, 'leasedSince'>,
  { mayEnd }: Asker,
): LabError {
  const { said, next, details } = heldBy({ since, mine, by: leasedBy?.name, reason: leaseReason })
  const or = mine === true ? 'unlock it' : mayEnd ? 'unlock it with a reason' : 'ask who maintains the benches'
  return new LabError({
    code: 'bench-busy',
    kind: 'caller',
    retry: 'later',
    message: `${id} can't be taken: ${said}; ${next}, or ${or}`,
    details,
  })
}

/**
 * `hold-changed`: it is another hold than the caller has seen there. It says since when, and by whom and what for as far as
 * the view tells the asker; `details` has the same for programs.
 */
export function heldMeanwhile({ id, leasedSince, mine, leasedBy, leaseReason }: Omit<Held, 'since'>): LabError {
  const { said, details } = heldBy({ since: leasedSince, mine, by: leasedBy?.name, reason: leaseReason }, 'you have it')
  const message = `no hold was ended: that of ${id} is another than was meant, ${said}`
  return new LabError({ code: 'hold-changed', kind: 'caller', message, details })
}
