// Preloaded into a hub: with SIGUSR2 a minute passes for it in no time, as by its clock for durations.
let aheadMs = 0
const monotonic = performance.now.bind(performance)
performance.now = () => monotonic() + aheadMs
process.on('SIGUSR2', () => {
  aheadMs += 61_000
})
