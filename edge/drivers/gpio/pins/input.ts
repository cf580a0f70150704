import type { Edge } from '../backends/backend.ts'
import type { InputConfig } from '../gpio-config.ts'
import { createDebounce } from './debounce.ts'
import type { OpenPin, PinParts } from './pin.ts'

/** Takes the pin as an input, and follows its changes from then on. */
export async function openInput({ name, config, chip, clock }: PinParts<InputConfig>): Promise<OpenPin> {
  const { pin, activeLow, pull, debounceMs } = config
  // What comes before the first level is known is in that level.
  let onEdge: (edge: Edge) => void = () => {}
  const line = await chip.input(pin, { pull, onEdge: (edge) => onEdge(edge) })
  const level = await line.read()
  const debounce = createDebounce({ level, timeMs: clock.now(), debounceMs, clock, read: () => line.read() })
  onEdge = debounce.edge
  return {
    signals: {
      [name]: {
        // Without debouncing the wire itself is asked, which may be ahead of its edges.
        read: async () => (debounceMs === 0 ? await line.read() : debounce.state().level) !== activeLow,
      },
      [`${name}_edges`]: { read: async () => debounce.state().edges },
      [`${name}_since`]: { read: async () => debounce.state().sinceMs / 1000 },
    },
    close: async () => {
      debounce.close()
      await line.close()
    },
  }
}
