/** How who had a hold or a lock is told that somebody else has ended it. Pure. */
import type { EndedHold } from './services.ts'

/** The words of an error, and the same for programs: `by` and `reason` where they are told. */
export function endedBy(what: string, { by, reason }: Partial<EndedHold>) {
  const why = reason === undefined || reason === '' ? '' : `: ${reason}`
  return {
    message: `${what} was ended by ${by ?? 'somebody with the right to'}${why}`,
    details: {
      why: 'ended-by-other' as const,
      ...(by === undefined ? {} : { by }),
      ...(why === '' || reason === undefined ? {} : { reason }),
    },
  }
}
