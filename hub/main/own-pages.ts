/** Pages of labs at an origin of their own: those in their folders, and those of their own servers. */
import { can } from '../accounts/can.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { NodeCalls } from '../fleet/node-calls.ts'
import { createLabPages } from '../lab-pages/lab-pages.ts'
import { createPageAddress } from '../lab-pages/page-address.ts'
import { createLabTunnels } from '../lab-servers/lab-tunnels.ts'
import { createLabVisits } from '../lab-servers/lab-visits.ts'
import type { Sessions } from '../sessions/sessions.ts'
import type { Basics } from './basics.ts'
import type { ListeningAt } from './doors.ts'
import type { Ground } from './ground.ts'

export interface OwnPagesOf {
  readonly sessions: Sessions
  readonly fleet: Fleet
  readonly calls: NodeCalls
  readonly webFolder: string | undefined
}

export async function openOwnPages(
  { config, publicUrl, clock, log }: Basics,
  { tls, accounts, catalogue }: Ground,
  { sessions, fleet, calls, webFolder }: OwnPagesOf,
  at: ListeningAt,
) {
  const pageAddress = createPageAddress({
    pagesUrl: config.pagesUrl,
    publicUrl: config.publicUrl,
    tls: tls !== undefined,
    hubPort: () => Number(new URL(at.http).port),
    pagesPort: () => at.pagesPort,
  })
  const labPages = await createLabPages({ catalogue, address: pageAddress, webFolder, clock, log })
  const labTunnels = createLabTunnels({ sessions, fleet, calls, publicUrl, clock, log })
  const labVisits = createLabVisits({
    sessions,
    mayWork: async ({ personId, signIn }) => {
      const caller = await accounts.signInHolder(signIn)
      return caller?.personId === personId && can(caller, 'runs.submit')
    },
    onEnded: accounts.onEnded,
    tunnels: labTunnels,
    originOf: pageAddress.forVisit,
    publicUrl,
    isPageFile: labPages.owns,
    clock,
    log,
  })
  return { pageAddress, labPages, labTunnels, labVisits }
}
