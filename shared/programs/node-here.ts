/** The node that runs on this machine, as whoever owns its data folder reaches it. */
import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connectUnixSocket } from '../links/unix-socket/unix-socket.ts'
import { systemClock } from '../primitives/clock.ts'
import { LabError } from '../primitives/lab-error.ts'
import { didYouMean } from '../primitives/nearest.ts'
import { cborFormat } from '../rpc/formats.ts'
import { createPeer, type Peer } from '../rpc/peer/peer.ts'

export interface NodeHere {
  readonly dataFolder: string
  /** Where the data folder has several nodes. */
  readonly node: string | undefined
  readonly signal: AbortSignal
}

const SOCKET = 'services.sock'

/** Works with the node's own socket, and closes it; `folder` is the node's. Rejects with `no-node-here`. */
export async function withNodeHere<Result>(
  here: NodeHere,
  work: (peer: Peer, folder: string) => Promise<Result>,
): Promise<Result> {
  const { signal } = here
  const folder = await folderOf(here)
  const path = join(folder, SOCKET)
  const peer = createPeer({
    link: await connectUnixSocket({ path, format: cborFormat, clock: systemClock, signal }).catch((cause: unknown) => {
      throw noNode(`the node at ${path} does not run`, cause)
    }),
    clock: systemClock,
  })
  try {
    return await work(peer, folder)
  } finally {
    await peer.close()
  }
}

/** Of the only node of the data folder, or of the one that was named. */
async function folderOf({ dataFolder, node }: NodeHere): Promise<string> {
  const folder = join(dataFolder, 'nodes')
  const names = (await readdir(folder).catch(() => [])).sort()
  if (node !== undefined && !names.includes(node)) {
    throw noNode(`there is no node ${node} in ${dataFolder}${didYouMean(node, names)}`)
  }
  const there: string[] = []
  for (const name of node === undefined ? names : [node]) {
    const path = join(folder, name, SOCKET)
    const isThere = await access(path).then(
      () => true,
      () => false,
    )
    if (isThere) there.push(name)
  }
  const [only, ...others] = there
  if (only === undefined) throw noNode(`no node runs with the data folder ${dataFolder} (FERNLAB_DATA names another)`)
  if (others.length > 0) throw noNode(`several nodes run here: say which by --node ${there.join(' or --node ')}`)
  return join(folder, only)
}

const noNode = (message: string, cause?: unknown): LabError =>
  new LabError({ code: 'no-node-here', kind: 'caller', message, ...(cause === undefined ? {} : { cause }) })
