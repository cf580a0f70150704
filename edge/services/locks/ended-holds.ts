/** Holds that somebody else has ended at the hub, and why, for who had them. */
import { endedBy } from '@fernlab/shared/contracts/ended-by'
import type { EndedHold } from '@fernlab/shared/contracts/services'
import { readSessionHold } from '@fernlab/shared/contracts/session-hold'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Caller } from '../service-source.ts'

type Hold = NonNullable<Caller['hold']>

/** Of the newest that have ended. */
const MOST = 1000

/** By lease. */
export class EndedHolds {
  readonly #ended = new Map<string, EndedHold>()

  add(lease: string, ended: EndedHold): void {
    this.#ended.set(lease, ended)
    const [oldest] = this.#ended.keys()
    if (this.#ended.size > MOST && oldest !== undefined) this.#ended.delete(oldest)
  }

  /** `hold-ended`, with who has ended it and why where that is known. */
  errorOf({ bench, lease }: Hold): LabError {
    const ended = this.#ended.get(lease)
    const what = `the ${readSessionHold(lease) === undefined ? 'hold of' : 'session on'} bench ${bench}`
    const told = ended === undefined ? { message: `${what} has ended`, details: {} } : endedBy(what, ended)
    return new LabError({ code: 'hold-ended', kind: 'caller', ...told })
  }
}
