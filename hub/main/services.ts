/** What the hub knows of services on nodes. */
import { createDirectory } from '../directory/directory.ts'
import type { ServiceBook } from '../directory/service-book.ts'
import type { OpenFleet } from '../fleet/open-fleet.ts'
import type { Basics } from './basics.ts'
import type { Ground } from './ground.ts'

export function openServices(
  { site, onClose }: Basics,
  { store }: Ground,
  { fleet, serviceBook }: { readonly fleet: OpenFleet; readonly serviceBook: ServiceBook },
) {
  onClose(fleet.onChange(({ node }) => serviceBook.look(node)))
  return { directory: createDirectory({ site, services: serviceBook, store }) }
}
