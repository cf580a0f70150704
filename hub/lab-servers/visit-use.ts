/**
 * What browsers ask of a lab's own server in one session, told to the node, which keeps it with the session.
 *
 * INVARIANTS: what an address says after `?`, and what in it lets somebody in, is not kept; at most `MOST_ROWS` requests
 * and files have a row each; one message is under way at a time and carries what has gathered meanwhile.
 */
import type { VisitRow } from '@fernlab/shared/contracts/sync'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import type { Upload } from './uploads.ts'

/** A request that has been answered. */
export interface Answered {
  readonly personId: string
  readonly method: string
  readonly target: string
  readonly status: number
  /** Whether somebody looks at it: a page, not one of the files that it loads. */
  readonly isPage: boolean
  readonly sentBytes: number
  readonly receivedBytes: number
  readonly uploads: readonly Upload[]
}

export interface VisitUse {
  note(request: Answered): void
}

export interface CreateVisitUseOptions {
  /** The path that the lab gave for the page: its last part is what lets somebody in. */
  readonly entry: string
  readonly tell: (rows: VisitRow[]) => Promise<unknown>
  readonly log: Log
}

/** Rows of one session. */
export const MOST_ROWS = 2000
const MOST_AT_ONCE = 100
const MOST_PATH = 300

/** Notes one session's requests. */
export function createVisitUse({ entry, tell, log }: CreateVisitUseOptions): VisitUse {
  const waiting: VisitRow[] = []
  const secret = entry.split('/').at(-1) ?? ''
  let rows = 0
  let isTelling = false

  const add = (row: VisitRow) => {
    if (rows >= MOST_ROWS) return
    rows++
    const rest = { by: '', what: 'lab-more', target: '', value: '', outcome: 'no more is written down' }
    waiting.push(rows < MOST_ROWS ? row : rest)
  }

  const send = async () => {
    if (isTelling) return
    isTelling = true
    while (waiting.length > 0) {
      try {
        await tell(waiting.splice(0, MOST_AT_ONCE))
      } catch (error) {
        // The session is over, or its node is away: there is nowhere to keep them.
        log.warn({ error: asLabError(error).message }, 'what was asked of a lab’s own server could not be kept')
      }
    }
    isTelling = false
  }

  return {
    note: ({ personId: by, method, target, status, isPage, sentBytes, receivedBytes, uploads }) => {
      const isWork = !['GET', 'HEAD', 'OPTIONS'].includes(method)
      const outcome = String(status)
      if (isPage || isWork) {
        const value = JSON.stringify({ sent: sentBytes, received: receivedBytes })
        const what = isWork ? 'lab-post' : status === 101 ? 'lab-socket' : 'lab-view'
        add({ by, what, target: `${method} ${keptPath(target, secret)}`, value, outcome })
      }
      for (const { name, bytes } of uploads) {
        add({ by, what: 'lab-upload', target: name, value: JSON.stringify({ bytes }), outcome })
      }
      void send()
    },
  }
}

/** Without the query, and without parts that are long enough to be a key. */
function keptPath(target: string, secret: string): string {
  return (target.split('?', 1)[0] ?? '')
    .split('/')
    .map((part) => ((part !== '' && part === secret) || /^(?=.*\d)[\w%~=.-]{20,}$/.test(part) ? '…' : part))
    .join('/')
    .slice(0, MOST_PATH)
}
