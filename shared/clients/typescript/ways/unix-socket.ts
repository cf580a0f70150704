/** To a node's socket on this machine: `unix:/path` or `unix:///path`. */
import { fileURLToPath } from 'node:url'
import { connectUnixSocket } from '../../../links/unix-socket/unix-socket.ts'
import type { Clock } from '../../../primitives/clock.ts'
import { cborFormat } from '../../../rpc/cbor-format.ts'
import type { Way } from './way.ts'

export function unixSocketWay({ clock }: { readonly clock: Clock }): Way {
  return {
    kind: 'unix-socket',
    refusal: (address) => (address.startsWith('unix:') ? undefined : 'other'),
    connect: (address, signal) => {
      const path = fileURLToPath(address.replace(/^unix:(\/\/)?/, 'file://'))
      return connectUnixSocket({ path, format: cborFormat, clock, signal })
    },
  }
}
