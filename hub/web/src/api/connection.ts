import type { Reachability } from './client.ts'

export interface Connection extends Reachability {
  /** Whether the hub answered last time. */
  isReachable(): boolean
  subscribe(listener: () => void): () => void
}

/** Remembers whether the hub answers and tells whoever listens when that changes. */
export function openConnection(): Connection {
  let reachable = true
  const listeners = new Set<() => void>()
  const set = (now: boolean) => {
    if (now === reachable) return
    reachable = now
    for (const listener of listeners) listener()
  }
  return {
    answered: () => set(true),
    silent: () => set(false),
    isReachable: () => reachable,
    subscribe: (listener) => {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}
