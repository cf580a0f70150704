/** Calls of a batch that the node hands on to this process together. */
import { systemClock } from '@fernlab/shared/primitives/clock'
import { splitMethod } from '@fernlab/shared/rpc/contract/members'
import { defaultLimits } from '@fernlab/shared/rpc/limits'
import type { BatchAnswer } from '@fernlab/shared/rpc/messages'
import { doBatch } from '@fernlab/shared/rpc/peer/batch'
import type { CallContext, Serve } from '@fernlab/shared/rpc/peer/serving'
import type { HostedBatch } from '../host-messages.ts'
import type { HostedService } from './hosted-service.ts'

/** Throws where there is no such service. */
export type FindHosted = (method: string) => { readonly service: Pick<HostedService, 'doChecked'> }

/**
 * One after another, each as if it had come alone; checked here, as the batch may stop at a result that is none. A call is
 * of the kind whose number it has, also where several kinds have one name.
 */
export async function doHanded(batch: HostedBatch, find: FindHosted, context: CallContext): Promise<BatchAnswer> {
  const { kinds, calls, args: params, stop, room } = batch
  const named = new Map<string, (typeof kinds)[number]>()
  for (const [n, kind] of kinds.entries()) {
    const name = `${splitMethod(kind.method)?.service}/${kind.params.action}`
    named.set(named.has(name) ? `${name} (${n})` : name, kind)
  }
  const serve: Serve = (name, args, own) => {
    const { method, params: how } = named.get(name) as (typeof kinds)[number]
    return find(method).service.doChecked(how, args, own)
  }
  const { form } = room
  return await doBatch(
    { methods: [...named.keys()], calls, params, stop, packs: true },
    { serve, context, clock: systemClock, limits: defaultLimits, room, form },
  )
}
