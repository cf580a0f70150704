import { pause } from './hub-client.ts'
import { query } from './query.ts'

/**
 * Resolves when the hub's database has the node's benches. A hub that is killed earlier learns of them as the node is back,
 * and lives meanwhile without any bench for the lab.
 */
export async function benchesKept(database: string, node: string): Promise<void> {
  const kept = {
    sql: `select bench.id from bench join node on node.id = bench.node where node.id = ? and node.instruments != '[]'`,
    params: [node],
  }
  for (const deadline = performance.now() + 30_000; performance.now() < deadline; await pause(50)) {
    const [rows = []] = await query(database, [kept])
    if (rows.length > 0) return
  }
  throw new Error(`the hub has not written down the benches of ${node} after 30 s`)
}
