/** Several clients in processes of their own, as clients are. */
import { type Part, startPart } from '../framework/part.ts'
import type { Bench } from '../framework/surroundings.ts'
import type { Target } from '../parts/rpc-callers.ts'
import type { CallTimes, OpenCallers } from '../parts/rpc-client.ts'

export interface Crowd {
  readonly first: Part
  /** All of them call; how many calls a second were answered from the first to the last. */
  calls(callsOfEach: number): Promise<number>
  close(): Promise<void>
}

/** What a program that has run for a while has behind it. */
const CALLS_BEFORE = 5000

/** Starts so many processes, each with one client that has made its first calls. */
export async function startCrowd(bench: Bench, name: string, target: Target, count: number): Promise<Crowd> {
  const parts = await Promise.all(
    Array.from({ length: count }, () => startPart(bench, 'rpc-client', { log: `${name}.log` })),
  )
  await Promise.all(parts.map((part, from) => part.call('open', { target, clients: 1, from } satisfies OpenCallers)))
  await Promise.all(parts.map((part) => part.call('calls', { calls: CALLS_BEFORE })))
  return {
    first: parts[0] as Part,
    calls: async (calls) => rateOf(await Promise.all(parts.map((part) => part.call<CallTimes>('calls', { calls })))),
    close: async () => void (await Promise.all(parts.map((part) => part.end()))),
  }
}

/** Calls a second of several processes that began together. */
export function rateOf(all: readonly Pick<CallTimes, 'count' | 'beganMs' | 'endedMs'>[]): number {
  const count = all.reduce((sum, one) => sum + one.count, 0)
  const beganMs = Math.min(...all.map((one) => one.beganMs))
  const endedMs = Math.max(...all.map((one) => one.endedMs))
  return (count / (endedMs - beganMs)) * 1000
}
