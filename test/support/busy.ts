import { availableParallelism, loadavg } from 'node:os'

/**
 * How many times as long something may take as on an idle machine: where there is more to do than the processors can, all of
 * it waits, in proportion.
 */
export const timesBusy = (): number => Math.max(1, (loadavg()[0] ?? 0) / availableParallelism())
