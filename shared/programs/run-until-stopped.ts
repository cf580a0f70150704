/**
 * INVARIANTS: the first SIGTERM or Ctrl-C stops everything; the second one, or the end of the time for it, ends the
 * process as it stands. What was acknowledged is on disk either way.
 */
import { asLabError } from '@fernlab/shared/primitives/lab-error'

/** What a part gives back once it runs. */
export interface Running {
  stop(): Promise<void>
}

const stopLimitMs = 4_500
const lookForParentMs = 250

/** Starts, runs until a signal, stops within 5 s; a start that fails says why on one line and exits 1. */
export async function runUntilStopped(start: (stopping: AbortSignal) => Promise<Running>): Promise<void> {
  const stopping = new AbortController()
  const stopped = new Promise<void>((resolve) => {
    const onSignal = () => {
      if (stopping.signal.aborted) process.exit(1)
      stopping.abort()
      resolve()
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
    onParentGone(onSignal)
  })
  try {
    const running = await start(stopping.signal)
    await stopped
    const late = setTimeout(() => {
      process.stderr.write(`not everything stopped within ${stopLimitMs} ms\n`)
      process.exit(1)
    }, stopLimitMs)
    await running.stop()
    clearTimeout(late)
    process.exit(0)
  } catch (error) {
    const problem = asLabError(error)
    process.stderr.write(`fernlab: ${problem.message}\n`)
    if (problem.kind === 'bug') process.stderr.write(`${String((problem.cause as Error | undefined)?.stack ?? '')}\n`)
    process.exit(1)
  }
}

/** npm ends at a SIGTERM without passing it on: what it started then stops as if it had got the signal. */
function onParentGone(callback: () => void): void {
  if (process.env.npm_lifecycle_event === undefined) return
  const parent = process.ppid
  const timer = setInterval(() => {
    if (process.ppid === parent) return
    clearInterval(timer)
    callback()
  }, lookForParentMs)
  timer.unref()
}
