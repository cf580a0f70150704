/** What monitoring looks at. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { BenchHistory } from '../bench-care/bench-history.ts'
import type { Broker } from '../broker/broker.ts'
import type { Runs } from '../runs/runs.ts'
import type { Turn } from '../store/turn.ts'
import type { Ground } from './ground.ts'
import type { Memory } from './memory.ts'

export interface Watched {
  readonly runs: Runs
  readonly turn: Turn
  readonly broker: Broker
  readonly benchHistory: BenchHistory
}

export function watchHub(
  { monitoring, store }: Ground,
  { book }: Memory,
  { runs, turn, broker, benchHistory }: Watched,
): void {
  monitoring.watchRuns(runs)
  monitoring.benches(() =>
    [...book.benches.values()].map(({ id }) => ({ bench: id, up: benchHistory.now(id) === 'up' })),
  )
  monitoring.gauge('fernlab_mqtt_clients', 'Connected MQTT clients', () => broker.clients)
  monitoring.addCheck('database', async () => {
    await store.database.read('SELECT 1')
    return undefined
  })
  monitoring.addCheck('writes', async () => {
    if (!turn.open)
      throw new LabError({ code: 'database-recovering', kind: 'configuration', message: 'it is recovering' })
    return undefined
  })
}
