/** A source of numbered samples, up to 2,000,000 a second: what is lost, doubled or out of order shows at once. */
import type { SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { Clock } from '@fernlab/shared/primitives/clock'
import * as z from 'zod'
import type { Block, Instrument } from '../../driver.ts'
import { cannot, type SimulatedModel } from '../model.ts'

const MAX_RATE_HZ = 2_000_000
const MAX_ROWS = 100_000
const BLOCK_S = 0.02

const settingsSchema = z.strictObject({
  channels: z
    .int()
    .min(1)
    .max(16)
    .default(1)
    .describe("How many signals, ch1, ch2 …; all carry the sample's number. Default: 1."),
})

export const rampSourceModel: SimulatedModel = {
  name: 'ramp-source',
  title: 'Numbered samples, up to 2,000,000 a second.',
  settingsSchema,
  create: (settings, { name, clock }): Instrument => {
    const { channels } = settings as z.infer<typeof settingsSchema>
    const names = Array.from({ length: channels }, (_, i) => `ch${i + 1}`)
    const startedMs = clock.monotonic()
    const known = (signals: readonly string[]) => {
      for (const each of signals) if (!names.includes(each)) throw cannot(name, `read ${each}`)
    }
    return {
      spec: {
        name,
        driver: 'simulated',
        model: 'ramp-source',
        signals: names.map(
          (channel): SignalSpec => ({
            name: channel,
            unit: '1',
            dtype: 'number',
            shape: [],
            kind: 'reading',
            access: 'read',
            readS: 0,
            maxRateHz: MAX_RATE_HZ,
          }),
        ),
        actions: [],
      },
      open: async (signal) => signal.throwIfAborted(),
      read: async (signals, signal) => {
        signal.throwIfAborted()
        known(signals)
        const value = Math.floor(clock.monotonic() - startedMs)
        return Object.fromEntries(signals.map((each) => [each, { value, time: clock.now() / 1000 }]))
      },
      set: async (signalName) => {
        throw cannot(name, `set ${signalName}`)
      },
      call: async (action) => {
        throw cannot(name, `do ${action}`)
      },
      stream: (signals, rateHz, signal) => {
        known(signals)
        return numbered(signals, Math.min(rateHz, MAX_RATE_HZ), clock, signal)
      },
      close: async () => {},
    }
  },
}

/** Blocks of what has fallen due, about 50 a second; the last one reaches to the moment of the abort. */
async function* numbered(
  signals: readonly string[],
  rateHz: number,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<Block> {
  const startS = clock.now() / 1000
  const startMs = clock.monotonic()
  let sent = 0
  for (;;) {
    const ending = signal.aborted
    const due = Math.floor(((clock.monotonic() - startMs) / 1000) * rateHz) + 1
    while (sent < due) {
      const rows = Math.min(due - sent, MAX_ROWS)
      yield block(signals, sent, rows, startS, rateHz)
      sent += rows
    }
    if (ending) return
    // Waking by the abort is how a stream ends, not an error.
    await clock.sleep(BLOCK_S * 1000, signal).catch(() => undefined)
  }
}

function block(signals: readonly string[], first: number, rows: number, startS: number, rateHz: number): Block {
  const time = new Float64Array(rows)
  const values = new Float64Array(rows)
  for (let i = 0; i < rows; i++) {
    time[i] = startS + (first + i) / rateHz
    values[i] = first + i
  }
  return { time, columns: Object.fromEntries(signals.map((each, i) => [each, i === 0 ? values : values.slice()])) }
}
