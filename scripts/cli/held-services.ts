/** Who has services that are to be unlocked: what is ended is what was looked at. */
import type { Client } from '@fernlab/shared/clients/typescript/client'
import type { DirectoryEntry } from '@fernlab/shared/contracts/directory'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'
import { mistake } from './problem.ts'
import { spokenTime } from './shown-time.ts'

type HeldBy = NonNullable<DirectoryEntry['lockedBy']>

export interface Held {
  readonly name: string
  /** What is ended at once: its bench, or the node that locks it. */
  readonly endedBy: string
  readonly by: HeldBy
}

const locksSchema = z.array(
  z.object({ service: z.string(), lock: z.object({ since: z.string(), reason: z.string().optional() }) }),
)

/** Each of them; rejects with `not-locked` where nobody has one. */
export const holdsOf = (client: Client, names: readonly string[], signal: AbortSignal): Promise<Held[]> =>
  Promise.all(
    [...new Set(names)].map(async (name) => {
      const { endedBy, bench, by } = await lookedAt(client, name, signal)
      if (by !== undefined) return { name, endedBy, by }
      const target = bench === undefined ? `service ${name}` : `bench ${bench}`
      throw mistake('not-locked', `${target} is not locked: nothing was ended`)
    }),
  )

async function lookedAt(client: Client, name: string, signal: AbortSignal) {
  const { id, name: service, node, bench, lockedBy } = await client.directory.get(name, signal)
  // Of a bench its hub is the first to know, and of others their node.
  const by = lockedBy ?? (bench === undefined ? await lockAtNode(client, id, service, signal) : undefined)
  return { endedBy: bench === undefined ? `node ${node}` : `bench ${bench}`, bench, by }
}

/** Those of one bench together, and those that one node locks. */
export function endedTogether(held: readonly Held[]): Held[][] {
  return [...new Set(held.map(({ endedBy }) => endedBy))].map((one) => held.filter(({ endedBy }) => endedBy === one))
}

/**
 * Ends what is of one bench or node; resolves with those that nobody had any more, as their program gave them back after the
 * look. Rejects as {@link Client.unlock}, and has ended none of them then.
 */
export async function endHeld(
  client: Client,
  held: readonly Held[],
  { reason, signal }: { readonly reason: string; readonly signal: AbortSignal },
): Promise<readonly string[]> {
  if (held.length === 0) return []
  const names = held.map(({ name }) => name)
  const seen = Object.fromEntries(held.map(({ name, by }) => [name, by.since]))
  try {
    await client.unlock(names, { reason, seen, signal })
    return []
  } catch (thrown) {
    if (!['not-locked', 'not-found'].includes(asLabError(thrown).code)) throw thrown
    const looks = await Promise.all(names.map((name) => lookedAt(client, name, signal)))
    const still = held.filter((_, at) => looks[at]?.by !== undefined)
    // Whatever it is that was not found, it is none of these.
    if (still.length === held.length) throw thrown
    const free = names.filter((name) => !still.some((one) => one.name === name))
    return [...free, ...(await endHeld(client, still, { reason, signal }))]
  }
}

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
