/** Keeps `inFlight` submissions going until `runs` are done: elapsed time, and each one's own, in ms. */
export async function keepInFlight(submit: () => Promise<unknown>, runs: number, inFlight: number) {
  const timesMs: number[] = []
  let left = runs
  const lane = async () => {
    while (left-- > 0) {
      const startedAt = performance.now()
      await submit()
      timesMs.push(performance.now() - startedAt)
    }
  }
  const startedAt = performance.now()
  await Promise.all(Array.from({ length: inFlight }, lane))
  return { elapsedMs: performance.now() - startedAt, timesMs }
}
