import type { Log } from '@fernlab/shared/primitives/log'

/** Logs each kind of loss once, until it is said to be over. */
export interface LossLog {
  /** True when this was the first of its kind. */
  lost(key: string, fields: object, message: string): boolean
  /** Forgets the kind; logs the recovery when there was a loss. */
  recovered(key: string, fields: object, message: string): void
}

const mostKinds = 1000

/** A loss log of its own memory; after a thousand kinds the oldest is forgotten. */
export function createLossLog(log: Log): LossLog {
  const known = new Set<string>()
  return {
    lost: (key, fields, message) => {
      if (known.has(key)) return false
      if (known.size >= mostKinds) known.delete(known.values().next().value ?? '')
      known.add(key)
      log.warn(fields, message)
      return true
    },
    recovered: (key, fields, message) => {
      if (known.delete(key)) log.info(fields, message)
    },
  }
}
