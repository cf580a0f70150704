import type { Group } from '@fernlab/shared/contracts/groups'

/** Groups by name, each followed by those within it, with how deep each lies. */
export function asTree(groups: readonly Group[]): { readonly group: Group; readonly depth: number }[] {
  const known = new Set(groups.map(({ id }) => id))
  const inOrder = [...groups].sort((a, b) => a.name.localeCompare(b.name))
  const below = (outer: string | undefined, depth: number): { group: Group; depth: number }[] =>
    inOrder
      .filter(({ within }) => (within !== undefined && known.has(within) ? within : undefined) === outer)
      .flatMap((group) => [{ group, depth }, ...below(group.id, depth + 1)])
  return below(undefined, 0)
}

/** Those whose name or id contains the text, or one of whose instructors has it in their name. */
export function withName(groups: readonly Group[], text: string): Group[] {
  const part = text.trim().toLowerCase()
  return groups.filter(({ name, id, instructors }) =>
    [name, id, ...instructors.map((person) => person.name)].some((one) => one.toLowerCase().includes(part)),
  )
}

/** An id for a name: `Física 2` → `fisica-2`. */
export const idOf = (name: string): string =>
  name
    .normalize('NFD')
    .toLowerCase()
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63)
