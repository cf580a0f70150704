/** To a node of another site, `peer:<site>/<node>`: its place is kept, and it says so. */
import { LabError } from '../../../primitives/lab-error.ts'
import type { Way } from './way.ts'

const BY_PEER = 'peer:'

/** What is of another site, and what to do: no hub leads to another's services. */
export function siteForeign(what: string, here: string): LabError {
  return new LabError({
    code: 'site-foreign',
    kind: 'caller',
    message: `${what} is of another site than ${here}: ask the hub of its site, or its node itself`,
  })
}

export function peerHubWay(): Way {
  return {
    kind: 'peer-hub',
    refusal: (address) => (address.startsWith(BY_PEER) ? undefined : 'other'),
    connect: async (address) => {
      throw siteForeign(`node ${address.slice(BY_PEER.length)}`, 'this client')
    },
  }
}
