/** PWM made of writes: right on average, with edges as late as the machine's timers. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { OutputLine, PwmLine } from '../backends/backend.ts'

export interface SoftwarePwmOptions {
  readonly line: OutputLine
  readonly frequencyHz: number
  readonly duty: number
  readonly clock: Clock
}

/** Timers come in whole ms: what a period got too much or too little, the next ones get less or more. */
export function softwarePwm({ line, frequencyHz, duty: first, clock }: SoftwarePwmOptions): PwmLine {
  const periodMs = 1000 / frequencyHz
  let duty = first
  let cancel: (() => void) | undefined
  let owedMs = 0
  let closed = false
  /** Whether a write failed that nobody waited for; the next that somebody waits for shows how it is now. */
  let failed = false

  const write = (level: boolean) => {
    line.write(level).catch(() => {
      failed = true
      stop()
    })
  }
  const stop = () => {
    cancel?.()
    cancel = undefined
  }
  const period = (startMs: number) => {
    owedMs += duty * periodMs
    const highMs = Math.min(Math.round(owedMs), Math.round(periodMs))
    const nextMs = startMs + periodMs
    const restart = () => {
      cancel = clock.after(nextMs - clock.monotonic(), () => period(Math.max(nextMs, clock.monotonic() - periodMs)))
    }
    if (highMs <= 0) {
      write(false)
      return restart()
    }
    write(true)
    const roseMs = clock.monotonic()
    cancel = clock.after(highMs, () => {
      write(false)
      owedMs -= clock.monotonic() - roseMs
      restart()
    })
  }
  const run = async () => {
    stop()
    owedMs = 0
    const hasFailed = failed
    failed = false
    if (duty <= 0 || duty >= 1) return await line.write(duty >= 1)
    if (hasFailed) await line.write(false)
    period(clock.monotonic())
  }
  return {
    how: `software PWM at ${frequencyHz} Hz: edges come about 1 ms late`,
    write: async (to) => {
      if (closed) return
      duty = to
      await run()
    },
    close: async (to) => {
      closed = true
      stop()
      await line.close(to >= 1)
    },
  }
}
