/** Tells the hub what services there are, when they change and when it has come back. */
import { announcedServiceSchema, type NodeServices } from '@fernlab/shared/contracts/services'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Log } from '@fernlab/shared/primitives/log'
import type * as z from 'zod'

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

/** What changes together is told together. */
const TOGETHER_MS = 100
/** A bench that runs quickly changes its state all the time, and all services are told of at once. */
const EVERY_MS = 1000

const withoutContract = announcedServiceSchema.omit({ contract: true })

export function createAnnouncements({ current, send, clock, log }: AnnouncementsOptions): Announcements {
  const contracts = new WeakMap<object, { readonly number: number; readonly why: string | undefined }>()
  const unfit = new Set<string>()
  let sent = ''
  let sentAt = Number.NEGATIVE_INFINITY
  let cancel: (() => void) | undefined
  let numbers = 0

  /** Contracts are long and stay the same: each is looked at once. */
  const seen = (contract: object) => {
    let known = contracts.get(contract)
    if (known === undefined) {
      known = { number: ++numbers, why: problem(announcedServiceSchema.shape.contract.safeParse(contract).error) }
      contracts.set(contract, known)
    }
    return known
  }
  /** The hub would take none of them for one that is not as it should be. */
  const isFit = ({ contract, ...service }: NodeServices['services'][number]): boolean => {
    const why = problem(withoutContract.safeParse(service).error) ?? seen(contract).why
    if (why === undefined) return true
    const { name } = service
    if (!unfit.has(name)) log.warn({ service: name, why }, 'a service can not be in the directory of the hub')
    unfit.add(name)
    return false
  }
  const textOf = ({ addresses, services, endedLocks }: NodeServices): string =>
    JSON.stringify([
      addresses,
      endedLocks,
      services.map(({ contract, ...service }) => [service, seen(contract).number]),
    ])
  const tell = (isWanted: (text: string) => boolean) => {
    cancel?.()
    cancel = undefined
    const services = current()
    const text = textOf(services)
    if (!isWanted(text)) return
    sent = text
    sentAt = clock.monotonic()
    send({ ...services, services: services.services.filter(isFit) })
  }
  return {
    changed: () => {
      const waitMs = Math.max(TOGETHER_MS, sentAt + EVERY_MS - clock.monotonic())
      cancel ??= clock.after(waitMs, () => tell((text) => text !== sent))
    },
    all: () => tell(() => true),
    close: () => cancel?.(),
  }
}

function problem(error: z.ZodError | undefined): string | undefined {
  const [issue] = error?.issues ?? []
  return issue === undefined ? undefined : `${issue.path.join('.')}: ${issue.message}`
}
