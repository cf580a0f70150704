import type { OutputConfig } from '../gpio-config.ts'
import type { OpenPin, PinParts } from './pin.ts'

/** Takes the pin as an output at its safe level. */
export async function openOutput({ name, config, chip }: PinParts<OutputConfig>): Promise<OpenPin> {
  const { pin, activeLow, safe, initial = safe } = config
  const line = await chip.output(pin, safe !== activeLow)
  return {
    signals: {
      [name]: {
        read: async () => (await line.read()) !== activeLow,
        set: (value) => line.write((value === true) !== activeLow),
      },
    },
    begin: () => line.write(initial !== activeLow),
    close: () => line.close(safe !== activeLow),
  }
}
