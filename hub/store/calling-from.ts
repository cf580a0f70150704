/**
 * From where comes the call that something is done for, without an argument on the way to each entry of the audit log.
 *
 * INVARIANTS: a call that was answered has no address any more, whatever it has left behind (timers, work in a queue); calls
 * are followed only while one is under way that may leave an entry: following (`AsyncLocalStorage`) slows every promise of
 * the process in Node before 24.
 */
import { AsyncLocalStorage } from 'node:async_hooks'

const calls = new AsyncLocalStorage<{ address: string | undefined }>()
/** Of the whole process, as what follows them is. */
let underWay = 0

/** Runs a call that came from the address, which is done when this resolves. */
export async function callingFrom<Result>(
  address: string | undefined,
  call: () => Promise<Result> | Result,
): Promise<Result> {
  const here = { address }
  underWay++
  try {
    return await calls.run(here, call)
  } finally {
    here.address = undefined
    underWay--
    if (underWay === 0) calls.disable()
  }
}

/** The address of the call that is being worked on; undefined outside of one. */
export const callersAddress = (): string | undefined => calls.getStore()?.address
