/** A queue of entries in memory, for what is tested purely. */
import { decide } from '@fernlab/hub/scheduling/decide'
import { explain, type WaitingBench } from '@fernlab/hub/scheduling/explain'
import { defaultRules, type OrderRules, type Place, type QueueEntry } from '@fernlab/hub/scheduling/order'
import { WaitingQueue } from '@fernlab/hub/scheduling/waiting-queue'

/** An entry of its own person that came at 0; `lab` names the benches that serve it. */
export const entry = (id: string, more: Partial<QueueEntry> & { labId?: string } = {}): QueueEntry => {
  const { labId = 'any', ...rest } = more
  const createdAt = rest.createdAt ?? 0
  return {
    id,
    personId: id,
    lab: { id: labId, version: 1 },
    wantedBench: null,
    priority: 5,
    createdAt,
    countsFrom: createdAt,
    estimatedS: 10,
    ...rest,
  }
}

/** By lab: the benches that serve it; a lab that is not named runs on all. */
export type Serving = Readonly<Record<string, readonly string[]>>

export const servedBy =
  (serving: Serving = {}) =>
  ({ lab, wantedBench }: QueueEntry, bench: string): boolean =>
    (wantedBench === null || wantedBench === bench) && (serving[lab.id]?.includes(bench) ?? true)

export function queueOf(entries: readonly QueueEntry[], rules: OrderRules = defaultRules): WaitingQueue<QueueEntry> {
  const queue = new WaitingQueue<QueueEntry>(rules)
  for (const one of entries) queue.add(one)
  return queue
}

export const decided = (
  queue: WaitingQueue<QueueEntry>,
  freeBenches: readonly string[],
  serving: Serving = {},
  nowMs = 0,
) => decide({ lines: queue.lines(nowMs), freeBenches, serves: servedBy(serving) }, nowMs)

export const pairs = (decisions: ReturnType<typeof decided>) => decisions.map(({ entry, bench }) => [entry.id, bench])

/** Which entries get the bench, one after the other. */
export function served(queue: WaitingQueue<QueueEntry>, bench = 'x', nowMs = 0): string[] {
  const order: string[] = []
  for (;;) {
    const [first] = decided(queue, [bench], {}, nowMs)
    if (first === undefined) return order
    queue.remove(first.entry)
    queue.hold(first.entry)
    order.push(first.entry.id)
  }
}

export const explained = (
  queue: WaitingQueue<QueueEntry>,
  one: QueueEntry,
  benches: readonly WaitingBench[],
  serving: Serving = {},
  nowMs = 0,
) => {
  const lines = [...queue.lines(nowMs)]
  return explain(queue.placeOf(one) as Place<QueueEntry>, { lines, benches, serves: servedBy(serving) })
}
