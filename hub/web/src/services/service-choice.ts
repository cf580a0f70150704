/** Which services the page shows. Pure. */
import type { DirectoryEntry } from '@fernlab/shared/contracts/directory'

export interface ServiceChoice {
  /** A part of the name, the node, the kind, the description or a tag. */
  readonly q?: string
  readonly state?: string
  readonly tag?: string
}

/** Those in trouble first. */
export const serviceStates: readonly DirectoryEntry['state'][] = ['unhealthy', 'gone', 'locked', 'busy', 'up']

/** The services that fit, those in trouble first, then by name and node. */
export function chosenServices(items: readonly DirectoryEntry[], { q, state, tag }: ServiceChoice): DirectoryEntry[] {
  const part = (q ?? '').trim().toLowerCase()
  const order = (one: DirectoryEntry) => serviceStates.indexOf(one.state)
  return items
    .filter(({ id, kind, description = '', tags }) =>
      [id, kind, description, ...tags].some((text) => text.toLowerCase().includes(part)),
    )
    .filter((one) => (state ?? one.state) === one.state && (tag === undefined || one.tags.includes(tag)))
    .sort(
      (a, b) =>
        order(a) - order(b) ||
        a.name.localeCompare(b.name, undefined, { numeric: true }) ||
        a.node.localeCompare(b.node, undefined, { numeric: true }),
    )
}
