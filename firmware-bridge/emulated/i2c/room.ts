import type { ChipOptions } from './chip.ts'

/** What sensors on a board feel. */
export interface Room {
  temperatureCel(): number
  humidityPercent(): number
  pressurePa(): number
}

const HEATING_PERIOD_S = 900
const WEATHER_PERIOD_S = 6 * 3600

/** A room around 22 °C whose heating goes on and off, below weather that changes; in instant mode all stands still. */
export function createRoom({ nowS, noise, instant }: ChipOptions): Room {
  const [phase, front] = [noise.uniform(), noise.uniform()]
  const wave = (periodS: number, from: number) => (instant ? 0 : Math.sin(2 * Math.PI * (nowS() / periodS + from)))
  return {
    temperatureCel: () => (instant ? 22.5 : 22 + 0.6 * wave(HEATING_PERIOD_S, phase)),
    // Of the same water content: drier while it is warm.
    humidityPercent: () => 45 - 1.7 * wave(HEATING_PERIOD_S, phase),
    pressurePa: () => 101_325 + 600 * wave(WEATHER_PERIOD_S, front),
  }
}
