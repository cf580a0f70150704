/** Letters that are written while nobody waits for them, so that an answer tells nothing by how long it takes. */
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'

export interface Errands {
  /** Begins the work; when it fails, the log says what could not be done. */
  begin(what: string, work: () => Promise<void>): void
  /** Waits for what is under way. */
  close(): Promise<void>
}

/** Keeps errands until they are done. */
export function createErrands({ log }: { log: Log }): Errands {
  const underWay = new Set<Promise<void>>()
  return {
    begin: (what, work) => {
      const errand = work().catch((error: unknown) => {
        const { code, message } = asLabError(error)
        log.error({ code, error: message }, `${what} could not be sent`)
      })
      underWay.add(errand)
      errand.finally(() => underWay.delete(errand))
    },
    close: async () => {
      await Promise.all(underWay)
    },
  }
}
