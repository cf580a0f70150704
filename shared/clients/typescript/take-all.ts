/**
 * Taking all that a lock is of.
 *
 * INVARIANTS: all of it is taken, or nothing stays taken; whoever gives it up waits for nobody, and what is given back then
 * is owed until it is done.
 */
import { newId } from '../../primitives/ids.ts'
import { unlessAborted } from '../../primitives/unless-aborted.ts'
import type { Directory, Found } from './directory.ts'
import { type Ending, type Group, takeBench, type Wanted } from './take.ts'
import { takeServices } from './take-services.ts'

export interface TakeAll extends Wanted {
  /** In the order of taking. */
  readonly found: readonly Found[]
  /** The group of services that belong together. */
  readonly together: (found: readonly Found[]) => Promise<Group>
  readonly directory: Directory
  readonly graceS: number | undefined
  readonly session: string | undefined
}

/**
 * Takes the benches of these services, and of nodes those that are no parts of benches: all, or nothing. What is returned gives
 * all of it back, and rejects with the first that could not be.
 */
export async function takeAll({ found, together, graceS, ...all }: TakeAll): Promise<() => Promise<void>> {
  const { signal, closing, clock } = all
  const benches: { readonly group: Group; readonly asked: Group['unknown'] }[] = []
  const undo: ((why: Ending) => Promise<void>)[] = []
  const giveBack = async (why: Ending) => (await Promise.allSettled(undo.map((back) => back(why)))).find(hasFailed)
  const groupOf = async (some: readonly Found[]) => await unlessAborted(together(some), signal)
  try {
    for (const bench of new Set(found.flatMap(({ bench }) => bench ?? []))) {
      const group = await groupOf(found.filter((one) => one.bench === bench))
      await takeBench({ ...all, group, bench, undo })
      benches.push({ group, asked: group.unknown })
    }
    const ofNodes = found.filter(({ bench }) => bench === undefined)
    for (const node of new Set(ofNodes.map((one) => one.node))) {
      const own = ofNodes.filter((one) => one.node === node)
      const services = own.map(({ name }) => name)
      await takeServices({ ...all, id: newId(clock.now()), group: await groupOf(own), services, graceS, undo })
    }
    closing.throwIfAborted()
    // What was lost while the rest was asked for is not had.
    all.lost.signal.throwIfAborted()
    for (const { group, asked } of benches) if (group.unknown === asked) group.unknown = undefined
  } catch (thrown) {
    const back = giveBack('not taken')
    all.owe(back)
    await unlessAborted(back, signal).catch(() => {}) // it goes on with nobody waiting
    throw thrown
  }
  return async () => {
    const failed = await giveBack('released')
    if (failed !== undefined) throw failed.reason
  }
}

const hasFailed = (one: PromiseSettledResult<void>): one is PromiseRejectedResult => one.status === 'rejected'
