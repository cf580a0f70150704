/** Takes away where exchanges of direct uses came from; of the addresses of a use they are no more than copies. */
import type { Store } from '../store/store.ts'

const AT_ONCE = 1000

/** Of exchanges before that time (epoch ms), some at once; stops early when asked to. */
export async function forgetExchangeAddresses(store: Store, before: number, stopped: () => boolean): Promise<void> {
  const { db } = store
  while (!stopped()) {
    const some = db
      .selectFrom('direct_command')
      .select('id')
      .where('client_address', 'is not', null)
      .where('at', '<', before)
      .limit(AT_ONCE)
    const [changed] = await store.write([
      db.updateTable('direct_command').set({ client_address: null }).where('id', 'in', some),
    ])
    if ((changed?.changes ?? 0) < AT_ONCE) return
  }
}
