/** All services of this node, of whatever source, with who has locked them. */
import type { AskedLog, ServiceLog } from '@fernlab/shared/contracts/service-log'
import type { AnnouncedService } from '@fernlab/shared/contracts/services'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Service } from '@fernlab/shared/rpc/contract/serve-service'
import { refused } from './gate/tokens.ts'
import type { Locks } from './locks/locks.ts'
import type { Viewer } from './locks/seen-lock.ts'
import type { Caller, ServiceSource } from './service-source.ts'

type Lockable = Pick<AnnouncedService, 'name' | 'bench'>

export interface ServiceTable {
  list(): readonly AnnouncedService[]
  /** What a lock of it is of, also where it is in no list; throws `service-unknown`. */
  toLock(name: string, caller: Caller): Lockable
  /** The same of one that may be locked still, though it is there no more. */
  toUnlock(name: string, caller: Caller): Lockable
  find(name: string, caller: Caller): Service | undefined
  /** Throws `service-unknown`, and `log-none` for one that has no process of its own. */
  logOf(name: string, asked: AskedLog, caller: Caller): ServiceLog
  /** Throws `service-locked` for a service of a daemon that another has locked; parts of benches ask their lease. */
  requireUnlocked(name: string, caller: Viewer): void
  onChange(listener: () => void): void
  /** From now on its services are there too. */
  add(source: ServiceSource): void
}

export interface ServiceTableOptions {
  readonly sources: readonly ServiceSource[]
  readonly locks: Pick<Locks, 'of' | 'requireUnlocked' | 'onChange'>
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
  const find = (name: string, caller: Caller) => {
    for (const source of sources) {
      const service = source.find(name, caller)
      if (service !== undefined) return service
    }
    return undefined
  }
  const toLock = (name: string, caller: Caller): Lockable => {
    const listed = list().find((one) => one.name === name)
    if (listed !== undefined) return listed
    // What the node itself has is nobody's alone.
    if (!name.startsWith('node.') && find(name, caller) !== undefined) return { name }
    throw new LabError({ code: 'service-unknown', kind: 'caller', message: `there is no service ${name} here` })
  }
  return {
    list,
    find,
    toLock,
    toUnlock: (name, caller) => (locks.of({ name }) === undefined ? toLock(name, caller) : { name }),
    logOf: (name, asked, caller) => {
      for (const source of sources) {
        const log = source.logOf?.(name, asked)
        if (log !== undefined) return log
      }
      toLock(name, caller)
      throw refused('log-none', `${name} has no log of its own: it is no service of a daemon`)
    },
    requireUnlocked: (name, caller) => locks.requireUnlocked({ name }, caller),
    onChange: (listener) => void listeners.push(listener),
    add,
  }
}
