/** Events of a service, to whoever follows them. */
import { LabError } from '@fernlab/shared/primitives/lab-error'

export interface ServiceEvent {
  readonly event: string
  readonly value: unknown
  /** Epoch seconds, UTC. */
  readonly time: number
}

export interface Events {
  emit(event: ServiceEvent): void
  /** From now on; ends when the signal aborts. Throws `events-missed` for who takes them too slowly. */
  follow(names: readonly string[], signal: AbortSignal): AsyncGenerator<ServiceEvent>
}

/** Of one follower. */
const MOST_WAITING = 1024

interface Follower {
  readonly names: ReadonlySet<string>
  readonly waiting: ServiceEvent[]
  missed: boolean
  wake: () => void
}

export function createEvents(): Events {
  const followers = new Set<Follower>()
  return {
    emit: (event) => {
      for (const follower of followers) {
        if (!follower.names.has(event.event)) continue
        if (follower.waiting.length >= MOST_WAITING) follower.missed = true
        else follower.waiting.push(event)
        follower.wake()
      }
    },
    follow: (names, signal) => {
      const follower: Follower = { names: new Set(names), waiting: [], missed: false, wake: () => {} }
      // Those that come before the first is asked for count too.
      followers.add(follower)
      const leave = () => {
        followers.delete(follower)
        follower.wake()
      }
      signal.addEventListener('abort', leave, { once: true })
      if (signal.aborted) leave()
      return (async function* () {
        try {
          for (;;) {
            const next = follower.waiting.shift()
            if (next !== undefined) yield next
            else if (follower.missed) throw missed()
            else if (signal.aborted) return
            else await new Promise<void>((resolve) => (follower.wake = resolve))
          }
        } finally {
          signal.removeEventListener('abort', leave)
          followers.delete(follower)
        }
      })()
    },
  }
}

const missed = (): LabError =>
  new LabError({
    code: 'events-missed',
    kind: 'caller',
    retry: 'now',
    message: `more than ${MOST_WAITING} events waited to be taken: follow them again, and take them faster`,
  })
