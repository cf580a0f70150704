/** Whose it is that a node refuses: a node with a hub knows people by their ids, and the directory says as much as the asker may know. */
import type { DirectoryEntry } from '../../contracts/directory.ts'
import { heldBy } from '../../contracts/held-by.ts'
import { LabError } from '../../primitives/lab-error.ts'

type LockedBy = NonNullable<DirectoryEntry['lockedBy']>

const LOCKED = 'service-locked'
const codes = [LOCKED, 'bench-held', 'bench-busy']

/**
 * Whether somebody's name may be missing in it: of a run, and of what is one's own, nobody's is; `by` is a name, of a hub's
 * refusal too, which says what can be done as well. The `owner` that a node tells may be an id.
 */
const leavesOpenWho = ({ code, details: { since, run, mine, by } }: LabError): boolean =>
  codes.includes(code) && since !== undefined && run !== true && mine !== true && by === undefined

/** Pure: the error with who has it, since when and what for; as it is where the directory says no more than that it is had. */
export function withWho(error: LabError, service: string, lockedBy: LockedBy | undefined): LabError {
  const { person, mine } = lockedBy ?? {}
  if (person === undefined && mine !== true) return error
  const { said, next, details } = heldBy({ ...lockedBy, by: person?.name })
  return new LabError({
    code: error.code,
    kind: error.kind,
    retry: error.retry,
    message: `${service} is ${error.code === LOCKED ? 'locked' : 'in use'}: ${said}; ${next}`,
    details: { ...error.details, ...details },
    cause: error,
  })
}

/** Whether the directory speaks of the same; of a bench its hub is the first to know. */
const isOf = ({ code, details }: LabError, lockedBy: LockedBy | undefined): boolean =>
  lockedBy !== undefined && (code !== LOCKED || lockedBy.since === details.since)

/** Asks for it once for each that has it, however often that refuses. */
export class WhoHasIt {
  readonly #ask: (service: string) => Promise<LockedBy | undefined>
  /** By service. */
  readonly #told = new Map<string, { readonly since: unknown; readonly lockedBy: LockedBy }>()

  constructor(ask: (service: string) => Promise<LockedBy | undefined>) {
    this.#ask = ask
  }

  /** The error to tell. Never rejects. */
  async amended(error: LabError, service: string): Promise<LabError> {
    if (!leavesOpenWho(error)) return error
    const { since } = error.details
    const told = this.#told.get(service)
    if (told?.since === since) return withWho(error, service, told?.lockedBy)
    // Of a hub that is away, or has not heard of it yet, nothing is known: what the node says stands.
    const lockedBy = await this.#ask(service).catch(() => undefined)
    if (lockedBy === undefined || !isOf(error, lockedBy)) return error
    this.#told.set(service, { since, lockedBy })
    return withWho(error, service, lockedBy)
  }
}
