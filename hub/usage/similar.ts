/**
 * Uses of different people with the same parameters, chosen and not suggested by the lab, near in time. What many of a
 * course chose is what their task says, and no hint. Pure.
 */
import type { ParameterValues } from '@fernlab/shared/contracts/common'
import type { Similar, UserOf } from '@fernlab/shared/contracts/usage'
import { canonicalJson } from '@fernlab/shared/protocol/digest'

export interface ComparedUse {
  readonly id: string
  readonly person: UserOf
  readonly lab: string
  readonly protocol: string
  readonly at: number
  /** The parameters that are not at their defaults. */
  readonly chosen: ParameterValues
}

type Hint = Similar['hints'][number]

/** So many people alike are a task, where they are also a good part of those who did it. */
const FEW = 3
const MOST_HINTS = 200

/** The hints, the nearest in time first. */
export function similarUses(uses: readonly ComparedUse[], withinMs: number): Hint[] {
  const doing = new Map<string, Set<string>>()
  const alike = new Map<string, ComparedUse[]>()
  for (const use of uses) {
    const task = `${use.lab} ${use.protocol}`
    doing.set(task, (doing.get(task) ?? new Set()).add(use.person.id))
    if (Object.keys(use.chosen).length === 0) continue
    const key = `${task} ${canonicalJson(use.chosen)}`
    const known = alike.get(key)
    if (known === undefined) alike.set(key, [use])
    else known.push(use)
  }
  return [...alike.values()]
    .flatMap((group) => {
      const all = doing.get(`${group[0]?.lab} ${group[0]?.protocol}`)?.size ?? 0
      const people = new Set(group.map(({ person }) => person.id)).size
      return people > FEW && people * 3 > all ? [] : near(group, withinMs)
    })
    .sort((a, b) => a.apartS - b.apartS)
    .slice(0, MOST_HINTS)
}

/** Chains of uses in which each is near the one before, where more than one person is in it. */
function near(group: readonly ComparedUse[], withinMs: number): Hint[] {
  const chains: ComparedUse[][] = []
  for (const use of [...group].sort((a, b) => a.at - b.at)) {
    const chain = chains.at(-1)
    const last = chain?.at(-1)
    if (chain !== undefined && last !== undefined && use.at - last.at <= withinMs) chain.push(use)
    else chains.push([use])
  }
  return chains.flatMap((chain) => {
    const first = chain[0]
    const apartMs = nearest(chain)
    if (first === undefined || apartMs > withinMs) return []
    return [
      {
        lab: first.lab,
        protocol: first.protocol,
        chosen: first.chosen,
        uses: chain.map(({ id, person, at }) => ({ id, person, at: new Date(at).toISOString() })),
        apartS: apartMs / 1000,
      },
    ]
  })
}

/** The least time between two uses of different people; infinite where all are one person's. */
function nearest(chain: readonly ComparedUse[]): number {
  let least = Number.POSITIVE_INFINITY
  for (const [at, use] of chain.entries()) {
    const before = chain[at - 1]
    if (before !== undefined && before.person.id !== use.person.id) least = Math.min(least, use.at - before.at)
  }
  return least
}
