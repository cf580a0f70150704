import { isTimeZone, ownTimeZone } from '@fernlab/shared/primitives/zoned-time'
import { useSyncExternalStore } from 'react'

const storageKey = 'fernlab-time-zone'
const changed = 'fernlab-time-zone'

const chosen = (): string => {
  const zone = localStorage.getItem(storageKey)
  return zone !== null && isTimeZone(zone) ? zone : ownTimeZone()
}

function listen(listener: () => void): () => void {
  window.addEventListener(changed, listener)
  return () => window.removeEventListener(changed, listener)
}

function choose(zone: string): void {
  // One's own is not kept: it is another after a journey.
  if (zone === ownTimeZone()) localStorage.removeItem(storageKey)
  else localStorage.setItem(storageKey, zone)
  window.dispatchEvent(new Event(changed))
}

/** The time zone in which bookings are shown on this machine: its own unless another was chosen. */
export const useTimeZone = (): readonly [timeZone: string, choose: (zone: string) => void] => [
  useSyncExternalStore(listen, chosen),
  choose,
]
