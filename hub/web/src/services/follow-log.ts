/** Reads the log of a service from its node, again and again. */
import type { ServiceLog } from '@fernlab/shared/contracts/service-log'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { ServiceLink } from './service-link.ts'

export interface ReadLog {
  /** Undefined until the node has answered; false where the person may not read it, or its node gives none. */
  readonly isThere: boolean | undefined
  readonly daemon: string
  readonly lines: ServiceLog['lines']
  /** Where to go on. */
  readonly next: string
  /** Why it is not read just now. */
  readonly error: unknown
}

export const unreadLog: ReadLog = { isThere: undefined, daemon: '', lines: [], next: '', error: undefined }

interface Options {
  readonly link: Pick<ServiceLink, 'log'>
  readonly from: ReadLog
  /** Without it, only whether there is one is asked. */
  readonly isFollowed: boolean
  readonly isSeen: () => boolean
  readonly told: (log: ReadLog) => void
  readonly clock: Clock
  readonly signal: AbortSignal
}

/** A node gives as many at once. */
export const MOST_LINES = 500
const EVERY_MS = 2000
/** `method-unknown`: a node that is older. */
const WITHOUT = ['right-missing', 'log-none', 'method-unknown', 'service-not-in-token']

/** Ends with `signal`, when there is none to read, and, unless it is followed, when there is one. */
export async function followLog(options: Options): Promise<void> {
  const { link, isFollowed, isSeen, told, clock, signal } = options
  let log = options.from
  const tell = (change: Partial<ReadLog>) => {
    if (signal.aborted) return
    log = { ...log, ...change }
    told(log)
  }
  while (!signal.aborted && log.isThere !== false && (isFollowed || log.isThere === undefined)) {
    if (isSeen()) {
      try {
        const { daemon, ...page } = await link.log(
          isFollowed ? { lines: MOST_LINES, after: log.next } : { lines: 1, after: '' },
          signal,
        )
        tell({ isThere: true, error: undefined, daemon, ...(isFollowed ? grown(log, page) : {}) })
      } catch (error) {
        tell(WITHOUT.includes(asLabError(error).code) ? { isThere: false } : { error })
      }
    }
    await clock.sleep(EVERY_MS, signal).catch(() => {}) // it is over: the loop ends
  }
}

/** With what came since; the same list where nothing has. */
export function grown(
  { lines }: Pick<ReadLog, 'lines'>,
  { lines: more, continues, next }: Omit<ServiceLog, 'daemon'>,
): Pick<ReadLog, 'lines' | 'next'> {
  if (!continues) return { lines: more, next }
  return { lines: more.length === 0 ? lines : [...lines, ...more].slice(-MOST_LINES), next }
}
