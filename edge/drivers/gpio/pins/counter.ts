import type { CounterConfig } from '../gpio-config.ts'
import { resetOf } from '../gpio-spec.ts'
import type { OpenPin, PinParts } from './pin.ts'
import { createPulses } from './pulses.ts'

/** Takes the pin as an input, and counts its edges from then on. */
export async function openCounter({ name, config, chip, clock }: PinParts<CounterConfig>): Promise<OpenPin> {
  const { pin, activeLow, pull, edge, debounceMs, windowS } = config
  const pulses = createPulses({ deadMs: debounceMs, windowMs: windowS * 1000 })
  const line = await chip.edges(pin, {
    pull,
    edges: activeLow ? OTHER[edge] : edge,
    onEdge: ({ timeMs }) => void pulses.edge(timeMs),
  })
  return {
    signals: {
      [name]: { read: async () => pulses.count },
      [`${name}_frequency`]: { read: async () => pulses.frequency(clock.now()) },
    },
    actions: { [resetOf(name)]: pulses.reset },
    close: () => line.close(),
  }
}

const OTHER = { rising: 'falling', falling: 'rising', both: 'both' } as const
