/** Calls that the hub makes on a node over `sync/request` and `sync/reply`, each with a deadline. */
import { type NodeMethod, nodeMethods, replySchema } from '@fernlab/shared/contracts/sync'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { newId } from '@fernlab/shared/primitives/ids'
import { LabError, type LabErrorJson } from '@fernlab/shared/primitives/lab-error'
import type { z } from 'zod'
import type { NodeLink } from '../broker/node-link.ts'

export interface NodeCalls {
  /** Rejects with the node's own error, or with `node-silent` at the deadline. */
  call<Method extends NodeMethod>(
    node: string,
    method: Method,
    params: z.input<(typeof nodeMethods)[Method]['params']>,
    deadlineMs?: number,
  ): Promise<z.output<(typeof nodeMethods)[Method]['result']>>
  reply(node: string, message: unknown): void
  close(): void
}

interface Waiting {
  readonly node: string
  readonly method: NodeMethod
  resolve(result: unknown): void
  reject(error: LabError): void
  readonly cancel: () => void
}

/** The calls of this hub; replies of other nodes than the one called are ignored. */
export function createNodeCalls({ link, clock }: { link: NodeLink; clock: Clock }): NodeCalls {
  const waiting = new Map<string, Waiting>()
  const end = (id: string): Waiting | undefined => {
    const call = waiting.get(id)
    waiting.delete(id)
    call?.cancel()
    return call
  }
  return {
    call: (node, method, params, deadlineMs = 5000) =>
      new Promise((resolve, reject) => {
        const id = newId(clock.now())
        const cancel = clock.after(deadlineMs, () => {
          end(id)?.reject(silent(node, method, `${node} did not answer ${method} within ${deadlineMs} ms`))
        })
        waiting.set(id, { node, method, resolve: resolve as (result: unknown) => void, reject, cancel })
        link.send(node, 'request', { id, method, params, deadlineMs })
      }),
    reply: (node, message) => {
      const { id, result, error } = replySchema.parse(message)
      if (waiting.get(id)?.node !== node) return
      const call = end(id)
      if (call === undefined) return
      if (error !== undefined) return call.reject(LabError.fromJSON(error as LabErrorJson))
      const checked = nodeMethods[call.method].result.safeParse(result)
      if (checked.success) call.resolve(checked.data)
      else {
        const message = `${node} answered ${call.method} with something else: ${checked.error.message}`
        call.reject(new LabError({ code: 'reply-unreadable', kind: 'link', message }))
      }
    },
    close: () => {
      for (const [id, { node, method }] of waiting) {
        end(id)?.reject(silent(node, method, `the hub was stopped before ${node} answered ${method}`))
      }
    },
  }
}

function silent(node: string, method: string, message: string): LabError {
  return new LabError({
    code: 'node-silent',
    kind: 'link',
    retry: 'later',
    message,
    studentMessage: 'The bench does not answer at the moment. Look whether it was done before you try again.',
    details: { node, method },
  })
}
