/** Tells the hub what services there are, when they change and when it has come back. */
import { announcedServiceSchema, type NodeServices } from '@fernlab/shared/contracts/services'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'

export interface AnnouncementsOptions {
  readonly current: () => NodeServices
  readonly send: (services: NodeServices) => void
  readonly clock: Clock
  readonly log: Log
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

export function createAnnouncements({ current, send, clock, log }: AnnouncementsOptions): Announcements {
  let sent = ''
  let cancel: (() => void) | undefined
  const unfit = new Set<string>()
  /** The hub would take none of them for one that is not as it should be. */
  const isFit = (service: NodeServices['services'][number]): boolean => {
    const [issue] = announcedServiceSchema.safeParse(service).error?.issues ?? []
    if (issue === undefined) return true
    const { name } = service
    const why = `${issue.path.join('.')}: ${issue.message}`
    if (!unfit.has(name)) log.warn({ service: name, why }, 'a service can not be in the directory of the hub')
    unfit.add(name)
    return false
  }
  const tell = (isWanted: (text: string) => boolean) => {
    cancel?.()
    cancel = undefined
    const services = current()
    const text = JSON.stringify(services)
    if (!isWanted(text)) return
    sent = text
    send({ ...services, services: services.services.filter(isFit) })
  }
  return {
    changed: () => {
      cancel ??= clock.after(TOGETHER_MS, () => tell((text) => text !== sent))
    },
    all: () => tell(() => true),
    close: () => cancel?.(),
  }
}
