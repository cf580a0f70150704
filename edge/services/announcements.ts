/** Tells the hub what services there are, when they change and when it has come back. */
import type { NodeServices } from '@fernlab/shared/contracts/services'
import type { Clock } from '@fernlab/shared/primitives/clock'

export interface AnnouncementsOptions {
  readonly current: () => NodeServices
  readonly send: (services: NodeServices) => void
  readonly clock: Clock
}

export interface Announcements {
  /** Sends what has changed, soon. */
  changed(): void
  /** Sends all of it now: the hub may know nothing of it. */
  all(): void
  close(): void
}

/** A bench that is driven quickly changes its state often: so much is told at once. */
const TOGETHER_MS = 300

export function createAnnouncements({ current, send, clock }: AnnouncementsOptions): Announcements {
  let sent = ''
  let cancel: (() => void) | undefined
  const tell = (isWanted: (text: string) => boolean) => {
    cancel?.()
    cancel = undefined
    const services = current()
    const text = JSON.stringify(services)
    if (!isWanted(text)) return
    sent = text
    send(services)
  }
  return {
    changed: () => {
      cancel ??= clock.after(TOGETHER_MS, () => tell((text) => text !== sent))
    },
    all: () => tell(() => true),
    close: () => cancel?.(),
  }
}
