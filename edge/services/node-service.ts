/** The service `node`, which each node has: what there is, who has locked it, and locks of what no hub schedules. */
import { directorySearchSchema } from '@fernlab/shared/contracts/directory'
import { directoryEntry } from '@fernlab/shared/contracts/directory-entry'
import { searchFor } from '@fernlab/shared/contracts/directory-search'
import { LONGEST_TOKEN_S } from '@fernlab/shared/contracts/longest'
import { type AnnouncedService, serviceRightSchema, serviceTokenSchema } from '@fernlab/shared/contracts/services'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Service } from '@fernlab/shared/rpc/contract/serve-service'
import { defineService } from '@fernlab/shared/rpc/contract/service-contract'
import * as z from 'zod'
import type { EndedOwn, OwnClaims } from './gate/own-tokens.ts'
import { rightMissing } from './gate/right-missing.ts'
import { refused } from './gate/tokens.ts'
import type { Locks } from './locks/locks.ts'
import { lostLocks } from './locks/lost-locks.ts'
import { type SeenLock, seenLock, seesOwner } from './locks/seen-lock.ts'
import { type Caller, LOCAL } from './service-source.ts'
import type { ServiceTable } from './service-table.ts'

const names = { type: 'list', items: { type: 'string' }, maxItems: 100 } as const
const text = { type: 'string' } as const
const search = { name: text, prefix: text, pattern: text, tag: names, anyTag: names, state: text } as const
/** Since when a service was seen to be locked, as node/locks and directories say it. */
const seen = {
  type: 'list',
  items: { type: 'object', members: { service: text, since: text } },
  maxItems: 100,
} as const
/** What a daemon keeps at most is four times as long. */
const MOST_LOG_LINES = 500
const answered = { type: 'object', members: { services: names } } as const

export const nodeContract = defineService({
  kind: 'fernlab-node',
  version: '1.6',
  title: 'The node itself',
  signals: {},
  events: {},
  actions: {
    services: {
      description: 'The services that the caller may read, each with its contract, its state and its lock.',
      arguments: {},
      result: { type: 'list', items: { type: 'any' } },
      idempotent: true,
    },
    directory: {
      description:
        'The services that the caller may read, as the directory of a hub shows them, without their contracts; all that is given has to hold.',
      arguments: { search: { type: 'object', members: search, optional: Object.keys(search), default: {} } },
      result: { type: 'list', items: { type: 'any' } },
      idempotent: true,
    },
    locks: {
      description:
        'What is locked: {service, lock: {since}}; owner and reason with it for locks of the caller, and with the right unlock.',
      arguments: {},
      result: { type: 'list', items: { type: 'any' } },
      idempotent: true,
    },
    lock: {
      description:
        'Locks all of them or none. A part of a bench locks its bench. It ends by unlock, or when the last link of the program has been gone for graceS. Other programs of the same person may lock the same: it ends with the last of them. With the same id again it is the same taking.',
      arguments: {
        services: names,
        reason: { type: 'string', default: '' },
        graceS: { type: 'number', unit: 's', minimum: 0, maximum: 600, default: 10 },
        id: { type: 'string', default: '' },
      },
      result: { type: 'object', members: { services: names, id: text } },
      idempotent: true,
    },
    unlock: {
      description:
        'Ends locks of the caller, of whatever program, and with the right unlock those of others; with the id of lock what was locked by it alone. Of a service in seen no other lock is ended than that which is since then: else hold-changed says whose it is now, and none is ended. Benches that nobody has any more go to their safe state.',
      arguments: {
        services: names,
        reason: { type: 'string', default: '' },
        id: { type: 'string', default: '' },
        seen: { ...seen, default: [] },
      },
      result: answered,
    },
    lost: {
      description:
        'Each of the services, once the caller has it locked no more, with the id of lock once that taking is over: why is grace-over, token-ended, unlocked, ended-by-other, bench-ended, or not-known after a start of the node. Of ended-by-other the reason, and by whom where the caller has the right unlock and the node no hub.',
      arguments: { services: names, id: { type: 'string', default: '' } },
      items: {
        type: 'object',
        members: { service: text, why: text, message: text, by: text, reason: text },
        optional: ['by', 'reason'],
      },
    },
    log: {
      description:
        'The newest lines that the daemon of a service has written, with the right unlock; after the `next` of an earlier answer only what came since. Where `continues` is false they take the place of the earlier ones.',
      arguments: {
        service: text,
        lines: { type: 'integer', minimum: 1, maximum: MOST_LOG_LINES, default: 200 },
        after: { type: 'string', default: '' },
      },
      result: {
        type: 'object',
        members: {
          daemon: text,
          lines: { type: 'list', items: { type: 'any' } },
          next: text,
          continues: { type: 'boolean' },
        },
      },
      idempotent: true,
    },
    token: {
      description: "A token of the node's own for a person; only for whoever owns its machine.",
      arguments: {
        person: { type: 'string' },
        services: names,
        rights: names,
        lifetimeS: { type: 'number', unit: 's', minimum: 1, maximum: LONGEST_TOKEN_S, default: 3600 },
      },
      result: { type: 'object', members: { token: { type: 'string' }, until: { type: 'string' } } },
    },
    revoke: {
      description:
        "Ends the tokens that the node itself has signed so far, those of the people or, with all, every one, and closes the links that they opened; `unknown` are people for whom it knows of none; only for whoever owns its machine. Tokens that are made later are others, and a hub's are the hub's to end.",
      arguments: {
        people: { ...names, default: [] },
        all: { type: 'boolean', default: false },
      },
      result: {
        type: 'object',
        members: { links: { type: 'integer', minimum: 0 }, unknown: names },
        optional: ['unknown'],
      },
      idempotent: true,
    },
  },
})

export interface NodeServiceOptions {
  readonly site: string
  readonly node: string
  /** Where clients come straight to the node. */
  readonly addresses: readonly string[]
  readonly caller: Caller
  readonly table: ServiceTable
  readonly locks: Locks
  /** Those that the node signs by its own key. */
  readonly tokens: {
    sign(claims: OwnClaims): Promise<string>
    /** Whether it knows to have signed one for the person. */
    isKnown(person: string): boolean
    /** Resolves with how many links were closed. */
    end(ended: EndedOwn): Promise<number>
  }
  readonly clock: Clock
}

const MOST_REASON_CHARS = 200
const MOST_ID_CHARS = 64

type SeenService = Omit<AnnouncedService, 'lock'> & { lock?: SeenLock }

/** The service as one caller has it. */
export function createNodeService(options: NodeServiceOptions): Service {
  const { caller, table, locks, tokens, clock } = options
  const readable = () => {
    return table.list().flatMap((service): SeenService[] => {
      const { name, lock } = service
      if (!caller.may('read', name)) return []
      return [lock === undefined ? service : { ...service, lock: seenLock(caller, name, lock) }]
    })
  }
  /** Those of the names; throws what says no more than that the token does not open one. */
  const named = (
    args: Readonly<Record<string, unknown>>,
    right: 'lock' | 'unlock',
  ): Pick<AnnouncedService, 'name' | 'bench'>[] => {
    const wanted = args.services as readonly string[]
    if (wanted.length === 0) throw invalid('services must name at least one')
    return [...new Set(wanted)].sort().map((name) => {
      // Who may lock may unlock what is locked by the same.
      if (!caller.may('lock', name) && !caller.may(right, name)) {
        throw rightMissing(right, `${name.slice(0, 100)} to ${right}`, caller)
      }
      return right === 'lock' ? table.toLock(name, caller) : table.toUnlock(name, caller)
    })
  }
  return {
    contract: nodeContract,
    call: async (action, args, { signal }) => {
      caller.require()
      switch (action as keyof typeof nodeContract.actions) {
        case 'services':
          return readable()
        case 'directory':
          return directoryOf(options, args.search)
        case 'locks':
          return readable().flatMap(({ name: service, lock }) => (lock === undefined ? [] : [{ service, lock }]))
        case 'lock': {
          const reason = reasonOf(args)
          const services = named(args, 'lock')
          // Of a link that has ended nobody would notice that its owner is gone.
          signal.throwIfAborted()
          const id = locks.take({ caller, services, reason, graceMs: Number(args.graceS) * 1000, ...idOf(args) })
          return { services: services.map(({ name }) => name), id }
        }
        case 'lost': {
          const seesWho = (service: string) => caller.may('unlock', service)
          const listed = table.list()
          const services = [...new Set(args.services as readonly string[])].map((name) => {
            requireOpens(caller, name)
            return listed.find((one) => one.name === name) ?? { name }
          })
          return lostLocks({ locks, services, owner: caller.person, seesWho, signal, ...idOf(args) })
        }
        case 'log': {
          const service = String(args.service)
          if (!caller.may('unlock', service)) {
            throw rightMissing('unlock', `the log of ${service.slice(0, 100)}`, caller)
          }
          return table.logOf(service, { lines: Number(args.lines), after: String(args.after) }, caller)
        }
        case 'token': {
          if (!caller.isOwner) throw refused('right-missing', 'only the owner of the machine is given such tokens')
          const claims = claimsOf(args)
          const until = new Date(clock.now() + claims.lifetimeS * 1000).toISOString()
          return { token: await tokens.sign(claims), until }
        }
        case 'revoke': {
          if (!caller.isOwner) throw refused('right-missing', 'only the owner of the machine ends such tokens')
          const people = endedOf(args)
          const unknown = people === 'all' ? [] : people.filter((person) => !tokens.isKnown(person))
          return { links: await tokens.end({ people }), unknown }
        }
        case 'unlock': {
          const services = named(args, 'unlock')
          await locks.end(services, { caller, reason: reasonOf(args), seen: seenOf(args), ...idOf(args) })
          return { services: services.map(({ name }) => name) }
        }
      }
    },
  }
}

/** The same of what is there and of what is not: nothing is told of what the token does not open. */
function requireOpens(caller: Caller, service: string): void {
  if (serviceRightSchema.options.some((right) => caller.may(right, service))) return
  throw refused('service-not-in-token', `this token does not open ${service.slice(0, 100)}`)
}

/** As a hub would list them; nodes know people by their ids alone. */
function directoryOf({ site, node, addresses, table, caller, clock }: NodeServiceOptions, search: unknown) {
  const fits = searchFor(checked(directorySearchSchema, search, 'search.'))
  return table.list().flatMap((told) => {
    if (!caller.may('read', told.name)) return []
    const { state, reason, lock } = told
    const standing = { state, ...(reason === undefined ? {} : { reason }), ...(lock === undefined ? {} : { lock }) }
    const isSeen = lock !== undefined && seesOwner(caller, told.name, lock.owner)
    const names = isSeen ? new Map([[lock.owner, lock.owner]]) : undefined
    const bench = told.bench === undefined ? undefined : `${node}.${told.bench}`
    const described = { site, node, told, addresses, bench, standing, lastSeenAt: clock.now() }
    return [directoryEntry(described, { personId: caller.person, names })].filter(fits)
  })
}

function reasonOf({ reason }: Readonly<Record<string, unknown>>): string {
  const text = String(reason ?? '')
  if (text.length > MOST_REASON_CHARS) throw invalid(`reason has at most ${MOST_REASON_CHARS} characters`)
  return text
}

function idOf({ id = '' }: Readonly<Record<string, unknown>>): { readonly id?: string } {
  const text = String(id)
  if (text.length > MOST_ID_CHARS) throw invalid(`id has at most ${MOST_ID_CHARS} characters`)
  return text === '' ? {} : { id: text }
}

const seenOf = ({ seen: given = [] }: Readonly<Record<string, unknown>>): ReadonlyMap<string, string> =>
  new Map((given as readonly { service: string; since: string }[]).map(({ service, since }) => [service, since]))

function endedOf({ people, all }: Readonly<Record<string, unknown>>): EndedOwn['people'] {
  const named = people as readonly string[]
  if ((all === true) === named.length > 0) throw invalid('people must name at least one, or all be true, and not both')
  return all === true ? 'all' : named
}

const claimsSchema = z.object({
  person: z.string().min(1).max(64),
  services: serviceTokenSchema.shape.services,
  rights: serviceTokenSchema.shape.rights,
  lifetimeS: z.number(),
})

function claimsOf(args: Readonly<Record<string, unknown>>): OwnClaims {
  const { person: sub, ...claims } = checked(claimsSchema, args, '')
  if (sub === LOCAL) throw invalid(`person: nobody is called ${LOCAL}`)
  return { sub, ...claims, lifetimeS: Math.floor(claims.lifetimeS) }
}

function checked<Schema extends z.ZodType>(schema: Schema, given: unknown, where: string): z.infer<Schema> {
  const read = schema.safeParse(given)
  const [issue] = read.error?.issues ?? []
  if (!read.success) throw invalid(`${where}${issue?.path.join('.')}: ${issue?.message}`)
  return read.data
}

const invalid = (message: string) => new LabError({ code: 'call-invalid', kind: 'caller', message: `node: ${message}` })
