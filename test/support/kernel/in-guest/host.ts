import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { HostMessage } from '../messages.ts'

type Reply = Extract<HostMessage, { kind: 'reply' }>

const waiting = new Map<number, (reply: Reply) => void>()
let calls = 0

/**
 * Has the host do one of the operations that this test file's `.need.ts` offers, and gives what it returned; rejects
 * with its error.
 */
export async function askHost<T = unknown>(operation: string, ...args: unknown[]): Promise<T> {
  const { send, channel } = process
  if (send === undefined || channel === undefined) {
    throw new LabError({ code: 'no-host', kind: 'configuration', message: 'askHost() works only in the kernel stage' })
  }
  if (process.listenerCount('message') === 0) {
    process.on('message', (reply: Reply) => waiting.get(reply.id)?.(reply))
  }
  calls += 1
  const id = calls
  channel?.ref()
  const reply = await new Promise<Reply>((resolve) => {
    waiting.set(id, resolve)
    process.send?.({ id, operation, args })
  })
  waiting.delete(id)
  if (waiting.size === 0) channel?.unref()
  if (reply.error !== undefined) {
    throw new LabError({ code: 'host-failed', kind: 'bug', message: `${operation} on the host: ${reply.error}` })
  }
  return reply.value as T
}
