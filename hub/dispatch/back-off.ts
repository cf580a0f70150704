/** How long a bench that refused a run is left alone, by its reason: a held bench is free soon, a full disk is not. */
const waits: Readonly<Record<string, number>> = {
  'bench-busy': 1_000,
  'attempt-stale': 200,
  'fence-stale': 200,
  'bench-offline': 5_000,
  'bench-maintenance': 5_000,
  'bench-fault': 10_000,
  'disk-full': 30_000,
  'disk-refuses': 30_000,
}
const otherwiseMs = 5_000

/** Milliseconds before the next run is sent to the bench. */
export const backOffMs = (code: string): number => waits[code] ?? otherwiseMs
