/** How groups lie within each other. Pure. */

export interface Nested {
  readonly id: string
  readonly within: string | null
  /** Of a course, epoch ms: outside these nobody counts in it, nor through it. */
  readonly starts_at: number | null
  readonly ends_at: number | null
}

export type GroupTree = ReadonlyMap<string, Nested>

/** Of each group those that lie directly in it. */
export type InnerGroups = ReadonlyMap<string, readonly string[]>

/** The group and all that it is within, from the inside out; a group that is gone ends the way. */
export function outwards(tree: GroupTree, id: string): Nested[] {
  const way: Nested[] = []
  for (let at = tree.get(id); at !== undefined && !way.includes(at); at = tree.get(at.within ?? '')) way.push(at)
  return way
}

/** Looked up once for all groups that are asked about: `inside` then costs what it finds. */
export function innerGroups(tree: GroupTree): InnerGroups {
  const inner = new Map<string, string[]>()
  for (const id of tree.keys()) inner.set(id, [])
  for (const { id, within } of tree.values()) if (within !== null) inner.get(within)?.push(id)
  return inner
}

/** These groups and all within them; without those that there are not. */
export function inside(inner: InnerGroups, ids: Iterable<string>): Set<string> {
  const found = new Set<string>()
  for (const id of ids) if (inner.has(id)) found.add(id)
  // What is added meanwhile is visited too.
  for (const id of found) for (const each of inner.get(id) ?? []) found.add(each)
  return found
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
