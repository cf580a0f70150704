/**
 * How one interlock stands, and what follows from a reading, from the lack of one, and from a reset. Pure.
 *
 * INVARIANTS: a condition that has held for `forMs` trips; what has tripped stays so while the condition holds, and when
 * latched until it is reset; a reset while it holds changes nothing; a sensor that is not read counts as a condition that
 * holds, but what trips for that alone latches only when somebody had the bench: one that is switched on in the morning
 * needs nobody.
 */
export interface Rules {
  readonly forMs: number
  readonly latch: boolean
}

export type Standing =
  | { readonly state: 'unread' }
  | { readonly state: 'clear' }
  /** It holds, but not yet for long enough. */
  | { readonly state: 'holding'; readonly sinceMs: number }
  | Tripped

export interface Tripped {
  readonly state: 'tripped'
  readonly because: 'condition' | 'unread'
  readonly holds: boolean
  readonly latched: boolean
}

export type Observed =
  | { readonly what: 'read'; readonly holds: boolean; readonly atMs: number }
  | { readonly what: 'unread'; readonly inUse: boolean }
  | { readonly what: 'reset' }

/** Where it stood before and what was observed make where it stands; the same object when nothing has changed. */
export function next(standing: Standing, observed: Observed, { forMs, latch }: Rules): Standing {
  switch (observed.what) {
    case 'read':
      return observed.holds
        ? whileItHolds(standing, observed.atMs, forMs, latch)
        : standing.state === 'tripped' && standing.latched
          ? same(standing, { holds: false })
          : standing.state === 'clear'
            ? standing
            : { state: 'clear' }
    case 'unread': {
      const latched = latch && observed.inUse
      if (standing.state !== 'tripped') return { state: 'tripped', because: 'unread', holds: true, latched }
      return same(standing, { holds: true })
    }
    case 'reset':
      return standing.state === 'tripped' && !standing.holds ? { state: 'clear' } : standing
  }
}

function whileItHolds(standing: Standing, atMs: number, forMs: number, latch: boolean): Standing {
  switch (standing.state) {
    case 'tripped':
      return standing.because === 'unread' && !standing.latched
        ? { state: 'tripped', because: 'condition', holds: true, latched: latch }
        : same(standing, { holds: true })
    case 'holding':
      return atMs - standing.sinceMs < forMs
        ? standing
        : { state: 'tripped', because: 'condition', holds: true, latched: latch }
    case 'unread':
    case 'clear':
      return forMs > 0
        ? { state: 'holding', sinceMs: atMs }
        : { state: 'tripped', because: 'condition', holds: true, latched: latch }
  }
}

function same(standing: Tripped, change: { readonly holds: boolean }): Tripped {
  return standing.holds === change.holds ? standing : { ...standing, ...change }
}
