/** To a node in this process, without bytes: `in-process:<site>/<node>`. */
import { type LocalDoor, throughDoor } from '../../../links/local/local-door.ts'
import type { Way } from './way.ts'

export interface InProcessOptions {
  /** Of the nodes in this process. */
  readonly doors: readonly LocalDoor[]
  /** `owner` needs no token there, as at the node's socket; `anyone` signs in. */
  readonly from: 'owner' | 'anyone'
}

const IN_PROCESS = 'in-process:'

export const inProcessAddress = ({ site, node }: Pick<LocalDoor, 'site' | 'node'>): string =>
  `${IN_PROCESS}${site}/${node}`

export function inProcessWay({ doors, from }: InProcessOptions): Way {
  const doorAt = (address: string) => doors.find((door) => inProcessAddress(door) === address)
  return {
    kind: 'in-process',
    refusal: (address) => {
      if (!address.startsWith(IN_PROCESS)) return 'other'
      return doorAt(address) === undefined ? 'no such node is in this process' : undefined
    },
    connect: async (address, signal) => {
      signal.throwIfAborted()
      return throughDoor(doorAt(address) as LocalDoor, from)
    },
  }
}
