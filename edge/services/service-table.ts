/** All services of this node, of whatever source, with who has locked them. */
import type { AnnouncedService } from '@fernlab/shared/contracts/services'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Service } from '@fernlab/shared/rpc/contract/serve-service'
import { refused } from './gate/tokens.ts'
import type { Locks } from './locks/locks.ts'
import type { Caller, ServiceSource } from './service-source.ts'

export interface ServiceTable {
  list(): readonly AnnouncedService[]
  /** Throws `service-unknown`. */
  get(name: string): AnnouncedService
  find(name: string, caller: Caller): Service | undefined
  /** Throws `service-locked` for a service of a daemon that another has locked; parts of benches ask their lease. */
  requireUnlocked(name: string, caller: Caller): void
  onChange(listener: () => void): void
  /** From now on its services are there too. */
  add(source: ServiceSource): void
}

export interface ServiceTableOptions {
  readonly sources: readonly ServiceSource[]
  readonly locks: Pick<Locks, 'of' | 'onChange'>
}

export function createServiceTable({ sources: first, locks }: ServiceTableOptions): ServiceTable {
  const sources: ServiceSource[] = []
  const listeners: (() => void)[] = []
  const changed = () => {
    for (const listener of listeners) listener()
  }
  const add = (source: ServiceSource) => {
    sources.push(source)
    source.onChange(changed)
    changed()
  }
  for (const source of first) add(source)
  locks.onChange(changed)
  const list = () =>
    sources.flatMap((source) =>
      source.list().map((service): AnnouncedService => {
        const lock = locks.of(service)
        if (lock === undefined) return service
        return { ...service, lock, state: service.state === 'up' ? 'locked' : service.state }
      }),
    )
  return {
    list,
    get: (name) => {
      const service = list().find((one) => one.name === name)
      if (service !== undefined) return service
      throw new LabError({ code: 'service-unknown', kind: 'caller', message: `there is no service ${name} here` })
    },
    find: (name, caller) => {
      for (const source of sources) {
        const service = source.find(name, caller)
        if (service !== undefined) return service
      }
      return undefined
    },
    requireUnlocked: (name, caller) => {
      const lock = locks.of({ name })
      if (lock === undefined || lock.owner === caller.person) return
      throw refused('service-locked', `${name} is locked by ${lock.owner} since ${lock.since}`, 'later')
    },
    onChange: (listener) => void listeners.push(listener),
    add,
  }
}
