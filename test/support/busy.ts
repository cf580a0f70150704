import { availableParallelism, loadavg } from 'node:os'

const MOST = 4

/**
 * How many times as long something may take as on an idle machine, 1 to 4: where there is more to do than the processors can,
 * all of it waits, in proportion.
 */
export const timesBusy = (): number => Math.min(MOST, Math.max(1, (loadavg()[0] ?? 0) / availableParallelism()))
