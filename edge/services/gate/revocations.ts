/**
 * What ended before its time: people, holds and single tokens.
 *
 * INVARIANTS: it holds at once, and on disk when `add` resolves; it outlives a start; it is kept as long as a token can live.
 */
import { join } from 'node:path'
import { LONGEST_TOKEN_S } from '@fernlab/shared/contracts/longest'
import type { Revoked, ServiceToken } from '@fernlab/shared/contracts/services'
import type { Log } from '@fernlab/shared/primitives/log'
import { openSettingsFile } from '@fernlab/shared/storage/settings-file'
import * as z from 'zod'

/** Each with when it was revoked, epoch ms by the hub's clock. */
const times = z.record(z.string(), z.number())
const revocationsSchema = z.object({ people: times, holds: times, tokens: times })

export interface Revocations {
  add(revoked: Revoked, nowMs: number): Promise<void>
  /** A person's tokens that are newer than the revocation count again. */
  has(token: Pick<ServiceToken, 'sub' | 'iat' | 'jti' | 'hold'>): boolean
}

/** A person's tokens may be of the node itself, and last long. */
const KEEP_PEOPLE_MS = (LONGEST_TOKEN_S + 3600) * 1000
/** Single tokens and holds are a hub's, whose tokens last an hour; who locks often ends many of them. */
const KEEP_OTHERS_MS = 3 * 3_600_000

/** Opens `revoked.json` in the node's data folder. */
export async function openRevocations(dataFolder: string, log: Log): Promise<Revocations> {
  const file = await openSettingsFile({
    path: join(dataFolder, 'revoked.json'),
    schema: revocationsSchema,
    initial: { people: {}, holds: {}, tokens: {} },
    log,
  })
  const people = new Map(Object.entries(file.data.people))
  const holds = new Map(Object.entries(file.data.holds))
  const tokens = new Map(Object.entries(file.data.tokens))
  return {
    add: async (revoked, nowMs) => {
      for (const person of revoked.people ?? []) people.set(person, nowMs)
      for (const hold of revoked.holds ?? []) holds.set(hold, nowMs)
      for (const token of revoked.tokens ?? []) tokens.set(token, nowMs)
      forget(people, nowMs - KEEP_PEOPLE_MS)
      forget(holds, nowMs - KEEP_OTHERS_MS)
      forget(tokens, nowMs - KEEP_OTHERS_MS)
      await file.update((data) => {
        data.people = Object.fromEntries(people)
        data.holds = Object.fromEntries(holds)
        data.tokens = Object.fromEntries(tokens)
      })
    },
    has: ({ sub, iat, jti, hold }) => {
      const since = people.get(sub)
      return (
        (since !== undefined && iat * 1000 <= since) || tokens.has(jti) || (hold !== undefined && holds.has(hold.lease))
      )
    },
  }
}

function forget(all: Map<string, number>, beforeMs: number): void {
  for (const [key, atMs] of all) if (atMs < beforeMs) all.delete(key)
}
