/**
 * Time of the processor that this process has used so far, in ms. What bounds work by it does not depend on what else the
 * machine has to do, as it would by the clock.
 */
export function cpuMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}
