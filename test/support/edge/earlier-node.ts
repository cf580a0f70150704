/** A node as those of earlier versions were: before the socket of one of today, with their contract and their messages. */
import { nodeContract } from '@fernlab/edge/services/node-service'
import { listenUnixSocket } from '@fernlab/shared/links/unix-socket/unix-socket'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { matchesPattern } from '@fernlab/shared/protocol/patterns'
import { serveServices } from '@fernlab/shared/rpc/contract/serve-service'
import type { ServiceContract } from '@fernlab/shared/rpc/contract/service-contract'
import { wireError } from '@fernlab/shared/rpc/errors'
import type { Frame } from '@fernlab/shared/rpc/formats'
import { defaultLimits } from '@fernlab/shared/rpc/limits'
import type { Link } from '@fernlab/shared/rpc/link'
import { BATCH, PING } from '@fernlab/shared/rpc/messages'
import { createPeer, type Peer, SIGN_IN } from '@fernlab/shared/rpc/peer/peer'
import { onMachine } from './service-clients.ts'

/** 1.2 tells of no lock that is lost, 1.3 does; neither knows an id of a taking, nor which lock is meant that is to end. */
export type EarlierVersion = '1.2' | '1.3'

export interface EarlierNode {
  /** The params of each call of the node's own service and of each batch, as they came. */
  readonly came: readonly { readonly method: string; readonly params: unknown }[]
  close(): Promise<void>
}

/** Listens at the path until it is closed; whoever comes owns the node's machine. */
export async function startEarlierNode(
  dataFolder: string,
  path: string,
  version: EarlierVersion,
): Promise<EarlierNode> {
  const came: { method: string; params: unknown }[] = []
  const within: Peer[] = []
  const serveLink = async (link: Link) => {
    const node = await onMachine(dataFolder)
    within.push(node)
    const contract = contractOf(version)
    const ofNode = serveServices(
      () => ({
        contract,
        call: (action, args, { wantsStream, signal }) =>
          wantsStream ? node.stream(`node/${action}`, args, { signal }) : node.call(`node/${action}`, args, { signal }),
      }),
      matchesPattern,
    )
    const outer = createPeer({
      link: withoutColumns(link, (params) => came.push({ method: BATCH, params })),
      clock: systemClock,
      signIn: (params) => node.call(SIGN_IN, params),
      serve: (method, params, context) => {
        const { wantsStream, signal } = context
        if (!method.startsWith('node/'))
          return wantsStream ? node.stream(method, params, { signal }) : node.call(method, params, { signal })
        came.push({ method, params })
        return ofNode(method, params, context)
      },
    })
    outer.onEnd(() => void node.close())
  }
  const listening = await listenUnixSocket({ path, clock: systemClock, onLink: (link) => void serveLink(link) })
  return {
    came,
    close: async () => {
      await listening.close()
      await Promise.all(within.map((peer) => peer.close()))
    },
  }
}

function contractOf(version: EarlierVersion): ServiceContract {
  const { lost, revoke: _, ...actions }: Record<string, ServiceContract['actions'][string]> = nodeContract.actions
  const told = version === '1.3' && lost !== undefined ? { ...actions, lost } : actions
  const earlier = Object.entries(told).map(([name, action]) => {
    const { id: __, seen: ___, ...given } = action.arguments
    return [name, { ...action, arguments: given }] as const
  })
  return { ...nodeContract, version, actions: Object.fromEntries(earlier) }
}

/** It answers a ping with nothing, and can't read a batch in columns. */
function withoutColumns(link: Link, onBatch: (params: unknown) => void): Link {
  const { format } = link
  const refusal = (frame: Frame): object | undefined => {
    const { id, method, params } = format.read(frame, defaultLimits) as Readonly<Record<string, unknown>>
    if (method === PING) return { id, result: null }
    if (method !== BATCH) return undefined
    onBatch(params)
    const { calls, params: given } = params as { readonly calls: unknown; readonly params: unknown }
    if (Array.isArray(calls) && Array.isArray(given)) return undefined
    const message = 'it is no rpc.batch as this end knows it'
    return { id, error: wireError(new LabError({ code: 'rpc-unreadable', kind: 'link', message })) }
  }
  return new Proxy(link, {
    get: (of, name) => {
      if (name !== 'listen') {
        const member = Reflect.get(of, name)
        return typeof member === 'function' ? member.bind(of) : member
      }
      return (listener: Parameters<Link['listen']>[0]) =>
        of.listen({
          drained: () => listener.drained(),
          ended: (error) => listener.ended(error),
          frame: (frame) => {
            const answer = refusal(frame)
            if (answer === undefined) listener.frame(frame)
            else of.send(format.write(answer, defaultLimits))
          },
        })
    },
  })
}
