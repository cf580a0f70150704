/**
 * better-auth follows its calls through promises (`AsyncLocalStorage`), which in Node before 24 slows down every promise
 * of the process from the first call on, by a tenth of what a request costs: between its calls nothing is followed.
 *
 * INVARIANTS: as long as one call is under way all are followed.
 */
import {
  getCurrentAuthContextAsyncLocalStorage,
  getCurrentDBAdapterAsyncLocalStorage,
  getRequestStateAsyncLocalStorage,
} from '@better-auth/core/context'

const following = Promise.all([
  getCurrentAuthContextAsyncLocalStorage(),
  getCurrentDBAdapterAsyncLocalStorage(),
  getRequestStateAsyncLocalStorage(),
])
/** Of the whole process, as what follows them is. */
let underWay = 0

/** Runs a call of better-auth, which has ended when this resolves. */
export async function followed<Result>(call: () => Promise<Result>): Promise<Result> {
  const storages = await following
  underWay++
  try {
    return await call()
  } finally {
    underWay--
    if (underWay === 0) for (const storage of storages) storage.disable()
  }
}
