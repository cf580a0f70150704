/**
 * What a lab builder's service imports as `@fernlab/service`, and the process of a daemon that holds it: both are one
 * module, so that the classes which the service sees are those of the process.
 *
 * INVARIANTS: the link is a descriptor that nothing else writes to, whatever a service prints; nothing outlives the link.
 */
import { writeFile } from 'node:fs/promises'
import { Socket } from 'node:net'
import { inspect } from 'node:util'
import { greetingOf, socketLink } from '@fernlab/shared/links/unix-socket/unix-socket-link'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { asLabError } from '@fernlab/shared/primitives/lab-error'
import { isMain } from '@fernlab/shared/programs/is-main'
import { cborFormat } from '@fernlab/shared/rpc/cbor-format'
import { splitMethod } from '@fernlab/shared/rpc/contract/members'
import { isRecord } from '@fernlab/shared/rpc/errors'
import { createPeer, methodUnknown } from '@fernlab/shared/rpc/peer/peer'
import type { Serve } from '@fernlab/shared/rpc/peer/serving'
import { createGivenUp } from './host/given-up.ts'
import { doHanded } from './host/handed-batch.ts'
import { type HostedService, hostService } from './host/hosted-service.ts'
import { loadService } from './host/load-service.ts'
import { shareFolder } from './host/share-folder.ts'
import {
  BATCH,
  CLOSE,
  GIVE_UP,
  type HostedBatch,
  LOAD,
  type Loaded,
  SESSION_ENDED,
  type ServiceToLoad,
} from './host-messages.ts'

export { LabError } from '@fernlab/shared/primitives/lab-error'
export { defineService } from '@fernlab/shared/rpc/contract/service-contract'
export type { ArgumentsOf, ValueOf } from '@fernlab/shared/rpc/contract/value-spec'
export type { CallContext } from '@fernlab/shared/rpc/peer/serving'
export * as z from 'zod'
export type { ServiceContext } from './host/load-service.ts'

const LINK_FD = 3
const CLOSE_MS = 2000

function main(): void {
  const services = new Map<string, HostedService>()
  const givenUp = createGivenUp()
  const close = async () => {
    const all = [...services.values()]
    services.clear()
    await Promise.all(all.map((service) => service.close()))
  }
  const leave = async (code: number) => {
    systemClock.after(CLOSE_MS, () => process.exit(code))
    await close()
    process.exit(code)
  }
  process.on('uncaughtException', (thrown) => {
    process.stderr.write(`${inspect(thrown)}\n`)
    void leave(1)
  })
  // What nobody waits for is noted; whoever called has an answer of its own.
  process.on('unhandledRejection', (thrown) =>
    process.stderr.write(`nobody waited for what failed: ${inspect(thrown)}\n`),
  )
  // The kernel ends this process before the node, when there is too little memory; elsewhere than on Linux there is no such file.
  void writeFile('/proc/self/oom_score_adj', '500').catch(() => {})

  const find = (method: string) => {
    const split = splitMethod(method)
    const service = split === undefined ? undefined : services.get(split.service)
    if (split === undefined || service === undefined) throw methodUnknown(method)
    return { service, member: split.member }
  }
  const serve: Serve = (method, params, context) => {
    const given = isRecord(params) ? params : {}
    if (method === LOAD) return load(services, given.services as readonly ServiceToLoad[])
    if (method === CLOSE) return close()
    if (method === GIVE_UP) return givenUp.giveUp(given.call)
    if (method === SESSION_ENDED) {
      return Promise.all([...services.values()].map((service) => service.endSession(String(given.session))))
    }
    if (method === BATCH) {
      return givenUp.run(given.call, method, context, (own) => doHanded(params as HostedBatch, find, own))
    }
    return givenUp.run(given.call, method, context, (own) => {
      const { service, member } = find(method)
      return service.do(member, given, own)
    })
  }
  const socket = new Socket({ fd: LINK_FD, readable: true, writable: true })
  socket.write(greetingOf(cborFormat))
  const peer = createPeer({ link: socketLink(socket, cborFormat, systemClock), clock: systemClock, serve })
  peer.onEnd(() => void leave(0))
}

/** One that can't be loaded does not keep the others from it. */
async function load(services: Map<string, HostedService>, asked: readonly ServiceToLoad[]): Promise<Loaded> {
  const loaded: Record<string, Loaded[string]> = {}
  for (const service of asked) {
    try {
      const found =
        service.shared === undefined ? await loadService(service.file, import.meta.url) : shareFolder(service)
      services.set(service.name, await hostService(found, service))
      loaded[service.name] = { contract: found.contract }
    } catch (thrown) {
      loaded[service.name] = { error: asLabError(thrown).toJSON() }
    }
  }
  return loaded
}

// Not awaited: services import this module, which would wait for itself.
if (isMain(import.meta.url)) main()
