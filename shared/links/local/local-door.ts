/** Where a node takes links of programs in its own process. */
import type { Link } from '../../rpc/link.ts'
import { localLinks } from './local-link.ts'

export interface LocalDoor {
  readonly site: string
  readonly node: string
  /** Takes a link: of the machine's owner, or of somebody who has to sign in. Throws `link-unreachable` once the node has stopped. */
  take(link: Link, from: 'owner' | 'anyone'): void
}

/** A link through the door; throws where nobody takes it. */
export function throughDoor(door: LocalDoor, from: 'owner' | 'anyone'): Link {
  const [mine, its] = localLinks()
  door.take(its, from)
  return mine
}
