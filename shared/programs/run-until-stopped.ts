/**
 * INVARIANTS: the first SIGTERM, SIGHUP or Ctrl-C, or the end of npm, stops everything; a second signal, or the end of the
 * time for it, ends the process as it stands. What was acknowledged is on disk either way.
 */
import { reportFailure } from './report-failure.ts'
import { whenParentIsGone } from './when-parent-is-gone.ts'

/** What a part gives back once it runs. */
export interface Running {
  stop(): Promise<void>
}

const stopLimitMs = 4_500
/** One stop may come twice: to the whole group of processes, and passed on by the parent that got it too. */
const sameStopMs = 500

/**
 * Starts, runs until a signal, stops within 5 s (also while it still starts) and ends the process; a start that fails
 * says why on one line and exits 1.
 */
export async function runUntilStopped(start: (stopping: AbortSignal) => Promise<Running>): Promise<never> {
  const stopping = new AbortController()
  const stopped = new Promise<void>((resolve) => {
    let begunAt = 0
    const begin = () => {
      if (stopping.signal.aborted) return
      begunAt = performance.now()
      setTimeout(() => {
        process.stderr.write(`not everything stopped within ${stopLimitMs} ms\n`)
        process.exit(1)
      }, stopLimitMs)
      stopping.abort()
      resolve()
    }
    const onSignal = () => {
      if (!stopping.signal.aborted) begin()
      else if (performance.now() - begunAt > sameStopMs) process.exit(1)
    }
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, onSignal)
    whenParentIsGone(begin)
  })
  // A terminal that was closed takes no more output; what stops must not end for that.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  try {
    const running = await start(stopping.signal)
    await stopped
    await running.stop()
    return process.exit(0)
  } catch (error) {
    reportFailure(error)
    return process.exit(1)
  }
}
