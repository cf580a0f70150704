/**
 * Calls that the node may give up: each is answered all the same when it ends, by which the node knows that it has.
 *
 * INVARIANTS: the signal of a call aborts when the node gives it up; nothing of a call is kept once it has ended.
 */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { type CallContext, ServedCall } from '@fernlab/shared/rpc/peer/serving'

export interface GivenUp {
  /** Does the work; `call` is the node's number of it, without which it is given up as any call of the link. */
  run(call: unknown, method: string, context: CallContext, work: (context: CallContext) => unknown): unknown
  /** Nobody waits for it any more. */
  giveUp(call: unknown): void
}

export function createGivenUp(): GivenUp {
  const calls = new Map<number, ServedCall>()
  const given = () => new LabError({ code: 'call-cancelled', kind: 'caller', message: 'the caller gave up the call' })
  return {
    run: (call, method, context, work) => {
      if (typeof call !== 'number') return work(context)
      const own = new ServedCall(undefined, method, Number.POSITIVE_INFINITY, 0, context.wantsStream)
      calls.set(call, own)
      return ended(work, own, () => calls.delete(call))
    },
    giveUp: (call) => {
      if (typeof call === 'number') calls.get(call)?.giveUp(given())
    },
  }
}

async function ended(work: (context: CallContext) => unknown, call: CallContext, done: () => void): Promise<unknown> {
  try {
    return await work(call)
  } finally {
    done()
  }
}
