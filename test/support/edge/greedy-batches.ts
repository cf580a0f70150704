/** A process of its own that asks a node for batches without an end: `URL TOKEN`; says of each how many calls were answered. */
import { PING } from '@fernlab/shared/rpc/peer/peer'
import { overNetwork } from './service-clients.ts'

const [, , url = '', token = ''] = process.argv
const peers = await Promise.all(Array.from({ length: 4 }, () => overNetwork(url, token)))
const batches = [
  Array.from({ length: 20_000 }, () => ['node/services', {}] as const),
  Array.from({ length: 50_000 }, () => ['bench-1.psu/contract.get', {}] as const),
]
// In columns, as every client sends them: the most calls in a message.
for (const peer of peers) await peer.call(PING)
for (const [n, peer] of peers.entries()) {
  void (async () => {
    for (;;) {
      const outcomes = await peer.batch(batches[n % 2] ?? [])
      process.send?.(outcomes.filter((outcome) => 'result' in outcome).length)
    }
  })()
}
