/** A client's process on a node's own socket: locks a service, and says `item` for each item of a stream of its readings. */
import { connectUnixSocket } from '@fernlab/shared/links/unix-socket/unix-socket'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { cborFormat } from '@fernlab/shared/rpc/cbor-format'
import { createPeer } from '@fernlab/shared/rpc/peer/peer'

const [path = '', service = '', lingerMs = '0'] = process.argv.slice(2)
const { signal } = new AbortController()
const link = await connectUnixSocket({ path, format: cborFormat, clock: systemClock, signal })
const peer = createPeer({ link, clock: systemClock })
await peer.call('node/lock', { services: [service], reason: 'a stream', graceS: 0 })
const wanted = { signals: ['voltage'], rateHz: 100 }
const options = { lingerMs: Number(lingerMs) }
for await (const _ of peer.stream(`${service}/signals.follow`, wanted, options)) process.stdout.write('item\n')
