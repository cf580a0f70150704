/** The product's hub with its ports at hand: submits runs and waits for their ends, sets and reads signals, in its process. */
import type { Caller } from '@fernlab/hub/accounts/caller'
import { loadConfig } from '@fernlab/hub/config/load-config'
import { startHub } from '@fernlab/hub/main'
import { isFinal } from '@fernlab/shared/contracts/run-state'
import { silentLog } from '@fernlab/shared/primitives/log'
import { keepInFlight } from '../framework/load.ts'

const caller: Caller = {
  personId: 'bench',
  name: 'Bench',
  email: 'bench@example.org',
  role: 'admin',
  scopes: 'all',
  via: 'session',
}

/** Methods of the part `fernlab-hub`; the hub is up when this resolves. */
export async function open() {
  const hub = await startHub({ config: await loadConfig(process.env, process.cwd(), silentLog), log: silentLog })
  const { runs, fleet } = hub
  const waiting = new Map<string, () => void>()
  const early = new Set<string>()
  runs.onChange(({ runId, kind, state }) => {
    if (kind !== 'state' || state === undefined || !isFinal(state)) return
    const done = waiting.get(runId)
    waiting.delete(runId)
    if (done === undefined) early.add(runId)
    else done()
  })
  const submit = async () => {
    const { id } = await runs.submit(caller, { lab: 'bench-nothing', protocol: 'nothing', parameters: {} })
    if (early.delete(id)) return
    await new Promise<void>((resolve) => waiting.set(id, resolve))
  }
  const by = { person: caller.personId, way: 'api' } as const
  let lease: string | undefined
  const exchange = async ({ bench, count }: { bench: string; count: number }) => {
    lease = lease ?? (await fleet.takeLease(bench, caller.personId, 600)).lease
    await fleet.renewLease(bench, lease, 600, by.person)
    const timesMs: number[] = []
    for (let i = 0; i < count; i++) {
      const startedAt = performance.now()
      await fleet.exchange(bench, { lease, set: { 'box.value': i }, read: ['box.value'] }, by)
      timesMs.push(performance.now() - startedAt)
    }
    return { timesMs }
  }
  process.once('SIGTERM', () => void hub.close().then(() => process.exit()))
  return {
    load: ({ count, inFlight }: { count: number; inFlight: number }) => keepInFlight(submit, count, inFlight),
    exchange,
  }
}
