/** Who has services that are to be unlocked: what is ended is what was looked at. */
import type { Client } from '@fernlab/shared/clients/typescript/client'
import type { DirectoryEntry } from '@fernlab/shared/contracts/directory'
import * as z from 'zod'
import { mistake } from './problem.ts'
import { spokenTime } from './shown-time.ts'

type HeldBy = NonNullable<DirectoryEntry['lockedBy']>

export interface Held {
  readonly name: string
  readonly by: HeldBy
}

const locksSchema = z.array(
  z.object({ service: z.string(), lock: z.object({ since: z.string(), reason: z.string().optional() }) }),
)

/** Each of them; rejects with `not-locked` where nobody has one. */
export const holdsOf = (client: Client, names: readonly string[], signal: AbortSignal): Promise<Held[]> =>
  Promise.all(
    [...new Set(names)].map(async (name) => {
      const { id, name: service, bench, lockedBy } = await client.directory.get(name, signal)
      // Of a bench its hub is the first to know, and of others their node.
      const by = lockedBy ?? (bench === undefined ? await lockAtNode(client, id, service, signal) : undefined)
      if (by !== undefined) return { name, by }
      const target = bench === undefined ? `service ${name}` : `bench ${bench}`
      throw mistake('not-locked', `${target} is not locked: nothing was ended`)
    }),
  )

async function lockAtNode(client: Client, id: string, name: string, signal: AbortSignal): Promise<HeldBy | undefined> {
  const asked = await client.service(id)
  const locks = locksSchema.parse(await asked.ofNode('locks', {}, { signal, idempotent: true }))
  const lock = locks.find(({ service }) => service === name)?.lock
  if (lock === undefined) return undefined
  return { since: lock.since, ...(lock.reason === undefined ? {} : { reason: lock.reason }) }
}

/** Throws where it is not the person of that name or id who has it. */
export function requireHolder({ name, by }: Held, holder: string): void {
  if (by.person !== undefined && [by.person.id, by.person.name].includes(holder)) return
  throw mistake('hold-changed', `nothing was ended: ${name} is not held by ${holder}; ${heldText(by, ' has it')}`)
}

export const heldText = ({ person, mine, since, reason }: HeldBy, has: ' has it' | ' had it'): string =>
  `${mine === true ? 'you' : (person?.name ?? 'somebody')}${mine === true && has === ' has it' ? ' have it' : has} since ${spokenTime(since)}${reason === undefined ? '' : `: ${reason}`}`
