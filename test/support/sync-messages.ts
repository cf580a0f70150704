/** Holds what hub and node send each other, or a stand-in for one of them, against the schemas of the sync. */
import { isDeepStrictEqual } from 'node:util'
import { nodeServicesSchema } from '@fernlab/shared/contracts/services'
import {
  acceptedSchema,
  acknowledgeSchema,
  assignSchema,
  cancelSchema,
  documentsSchema,
  inventorySchema,
  liveSchema,
  type NodeMethod,
  nodeMethods,
  replySchema,
  requestSchema,
  welcomeSchema,
} from '@fernlab/shared/contracts/sync'
import type { SyncChannel } from '@fernlab/shared/contracts/topics'
import { decode, encode } from '@fernlab/shared/links/codec'
import * as z from 'zod'

const schemas: Readonly<Record<SyncChannel, z.ZodType>> = {
  inventory: inventorySchema,
  accepted: acceptedSchema,
  documents: documentsSchema,
  live: liveSchema,
  reply: replySchema,
  services: nodeServicesSchema,
  'links-up': z.instanceof(Uint8Array),
  'links-down': z.instanceof(Uint8Array),
  welcome: welcomeSchema,
  assign: assignSchema,
  acknowledge: acknowledgeSchema,
  cancel: cancelSchema,
  request: requestSchema,
}

/** One conversation, both ways; `require` throws what was said in it that the schemas do not know. */
export class SyncMessages {
  readonly #broken = new Set<string>()
  /** Calls without an answer yet, by id. */
  readonly #calls = new Map<string, NodeMethod>()

  heard(channel: SyncChannel, message: unknown): void {
    this.#hold(channel, schemas[channel], message)
    if (channel === 'request') {
      const { id, method, params } = message as z.infer<typeof requestSchema>
      if (!Object.hasOwn(nodeMethods, method)) {
        this.#broken.add(`request: ${method} is no call`)
        return
      }
      this.#calls.set(id, method as NodeMethod)
      this.#hold(`request ${method}`, nodeMethods[method as NodeMethod].params, params)
    }
    if (channel === 'reply') {
      const { id, result, error } = message as z.infer<typeof replySchema>
      const method = this.#calls.get(id)
      this.#calls.delete(id)
      if (method !== undefined && error === undefined)
        this.#hold(`reply to ${method}`, nodeMethods[method].result, result)
    }
  }

  require(): void {
    if (this.#broken.size > 0) throw new Error([...this.#broken].join('\n'))
  }

  #hold(what: string, schema: z.ZodType, message: unknown): void {
    const { success, data, error } = schema.safeParse(message)
    if (!success)
      for (const { path, message: why } of error.issues) this.#broken.add(`${what}.${path.join('.')}: ${why}`)
    // A schema leaves out what it does not know.
    else if (!isDeepStrictEqual(asSent(data), asSent(message)))
      this.#broken.add(`${what}: has more than is known of it`)
  }
}

const asSent = (message: unknown): unknown => decode(encode(message))
