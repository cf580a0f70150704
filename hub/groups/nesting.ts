/** How groups lie within each other. Pure. */

export interface Nested {
  readonly id: string
  readonly within: string | null
  /** Of a course, epoch ms: outside these nobody counts in it, nor through it. */
  readonly starts_at: number | null
  readonly ends_at: number | null
}

export type GroupTree = ReadonlyMap<string, Nested>

/** The group and all that it is within, from the inside out; a group that is gone ends the way. */
export function outwards(tree: GroupTree, id: string): Nested[] {
  const way: Nested[] = []
  for (let at = tree.get(id); at !== undefined && !way.includes(at); at = tree.get(at.within ?? '')) way.push(at)
  return way
}

/** The group and all within it. */
export function inside(tree: GroupTree, id: string): Set<string> {
  return new Set([...tree.keys()].filter((inner) => outwards(tree, inner).some((group) => group.id === id)))
}

/** In which groups somebody counts at the time who is directly in these. */
export function countsIn(tree: GroupTree, direct: Iterable<string>, nowMs: number): Set<string> {
  const counted = new Set<string>()
  for (const id of direct) {
    for (const group of outwards(tree, id)) {
      if ((group.starts_at ?? nowMs) > nowMs || (group.ends_at ?? Number.POSITIVE_INFINITY) <= nowMs) break
      counted.add(group.id)
    }
  }
  return counted
}
