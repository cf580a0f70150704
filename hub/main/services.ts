/** What the hub knows of services on nodes, and what opens them. */
import type { NodeLink } from '../broker/node-link.ts'
import { createDirectory } from '../directory/directory.ts'
import { createHolds } from '../directory/holds.ts'
import { openIssuedTokens } from '../directory/issued-tokens.ts'
import { createRevocations } from '../directory/revocations.ts'
import type { ServiceBook } from '../directory/service-book.ts'
import type { SigningKey } from '../directory/service-key.ts'
import { createServiceLines } from '../directory/service-lines.ts'
import { createServiceTokens } from '../directory/service-tokens.ts'
import { createLeaseEnds } from '../fleet/lease-ends.ts'
import type { NodeCalls } from '../fleet/node-calls.ts'
import type { OpenFleet } from '../fleet/open-fleet.ts'
import type { OpenSessions } from '../sessions/open-sessions.ts'
import type { Basics } from './basics.ts'
import type { Ground } from './ground.ts'
import type { Memory } from './memory.ts'

export interface ServiceParts {
  readonly fleet: OpenFleet
  readonly calls: NodeCalls
  readonly link: NodeLink
  readonly serviceBook: ServiceBook
  readonly signingKey: SigningKey
  readonly sessions: OpenSessions
}

export async function openServices(
  { site, publicUrl, clock, log, onClose }: Basics,
  { store, accounts, monitoring }: Ground,
  { book }: Memory,
  { fleet, calls, link, serviceBook, signingKey, sessions }: ServiceParts,
) {
  const { signInHolder } = accounts
  const issued = await openIssuedTokens({ store, clock })
  const holds = createHolds({ book, sessions, leaseEnds: createLeaseEnds(store) })
  const revocations = createRevocations({ issued, book, holds, calls, signInHolder, clock, log })
  onClose(() => revocations.close())
  onClose(accounts.onEnded(revocations.personMoved))
  const serviceLines = createServiceLines({
    isOnline: (node) => book.nodes.get(node)?.online,
    send: (node, message) => link.send(node, 'links-down', message),
    onCarried: monitoring.noteCarried,
    accounts,
    origins: () => [new URL(publicUrl()).origin],
    clock,
    log,
  })
  onClose(
    fleet.onChange(({ node }) => {
      serviceBook.look(node)
      if (book.nodes.get(node)?.online !== true) serviceLines.lost(node)
      revocations.nodeMoved(node)
    }),
  )
  const directory = createDirectory({ site, services: serviceBook, store })
  const about = { site, store, holds, services: serviceBook, issued, key: signingKey }
  return { directory, serviceLines, serviceTokens: createServiceTokens({ ...about, signInHolder, clock }) }
}
