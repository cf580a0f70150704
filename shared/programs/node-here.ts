/** The node that runs on this machine, as whoever owns its data folder reaches it. */
import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { connectUnixSocket } from '../links/unix-socket/unix-socket.ts'
import { type Clock, systemClock } from '../primitives/clock.ts'
import { asLabError, LabError } from '../primitives/lab-error.ts'
import { didYouMean } from '../primitives/nearest.ts'
import { cborFormat } from '../rpc/cbor-format.ts'
import { createPeer, type Peer } from '../rpc/peer/peer.ts'

export interface NodeHere {
  readonly dataFolder: string
  /** Where the data folder has several nodes. */
  readonly node: string | undefined
  readonly signal: AbortSignal
  /** That of the machine unless given. */
  readonly clock?: Clock
}

const SOCKET = 'services.sock'
/** One that has not said a word by then hangs. */
const ANSWER_MS = 5000

/**
 * Works with the node's own socket, and closes it; `folder` is the node's. Rejects with `no-node-here`, and with `node-silent`
 * where it does not answer. What a node has begun it ends, whatever becomes of this program.
 */
export async function withNodeHere<Result>(
  here: NodeHere,
  work: (peer: Peer, folder: string) => Promise<Result>,
): Promise<Result> {
  const { signal, clock = systemClock } = here
  const folder = await folderOf(here)
  const path = join(folder, SOCKET)
  const peer = createPeer({
    link: await connectUnixSocket({ path, format: cborFormat, clock, signal }).catch((cause: unknown) => {
      throw noNode(`the node at ${path} does not run`, cause)
    }),
    clock,
  })
  try {
    await peer.call('rpc.ping', undefined, { timeoutMs: ANSWER_MS, signal })
    return await work(peer, folder)
  } catch (thrown) {
    const error = asLabError(thrown)
    if (error.code !== 'deadline-exceeded') throw thrown
    const hint = 'what was asked may be done yet; look at its process, and at "fernlab daemon ps" once it answers'
    const message = `the node at ${path} does not answer: ${hint}`
    throw new LabError({ code: 'node-silent', kind: 'link', message, cause: error })
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
