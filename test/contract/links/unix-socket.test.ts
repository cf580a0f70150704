import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connectUnixSocket, listenUnixSocket } from '@fernlab/shared/links/unix-socket/unix-socket'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { formatNamed } from '@fernlab/shared/rpc/cbor-format'
import type { Link } from '@fernlab/shared/rpc/link'
import { linkContract } from '../link-contract.ts'

for (const name of ['cbor', 'json']) {
  linkContract(`Unix socket, ${name}`, async () => {
    const folder = await mkdtemp(join(tmpdir(), 'fernlab-links-'))
    const path = join(folder, 'rpc.sock')
    const arrived: ((link: Link) => void)[] = []
    const server = await listenUnixSocket({ path, clock: systemClock, onLink: (link) => arrived.shift()?.(link) })
    return {
      open: async () => {
        const { signal } = new AbortController()
        const other = new Promise<Link>((resolve) => void arrived.push(resolve))
        const client = await connectUnixSocket({ path, format: formatNamed(name), clock: systemClock, signal })
        return [client, await other] as const
      },
      cut: (link) => void link.close('the wire broke'),
      close: async () => {
        await server.close()
        await rm(folder, { recursive: true })
      },
    }
  })
}
