/**
 * A diode behind a resistor and a current-limited supply: Shockley's equation with series resistance,
 * `I = Is·(exp((V − I·Rs)/(n·k·T/q)) − 1)` (W. Shockley, Bell Syst. Tech. J. 28, 435, 1949; Sze & Ng, Physics of
 * Semiconductor Devices, 3rd ed., 2.3). Its own capacitance is too small to show at these speeds.
 */
import { type Circuit, forget, SUPPLY_OFF, type SupplyDrive, segmentAt } from './circuit.ts'

export interface DiodeConfig {
  readonly saturationCurrentA: number
  readonly idealityFactor: number
  readonly temperatureK: number
  /** Of the diode itself: bulk and contacts. */
  readonly seriesOhm: number
  /** The resistor before it. */
  readonly resistorOhm: number
  /** Resistance of the ammeter's shunt. */
  readonly burdenOhm: number
  readonly supplySettlingS: number
}

interface Segment {
  readonly startS: number
  readonly supplyFrom: number
  readonly supply: SupplyDrive
}

/** Boltzmann constant over elementary charge, V/K (exact values of the SI, 2019). */
const K_OVER_Q = 1.380649e-23 / 1.602176634e-19

export class DiodeCircuit implements Circuit {
  readonly config: DiodeConfig
  readonly #now: () => number
  readonly #segments: Segment[]

  constructor(config: DiodeConfig, now: () => number) {
    this.config = config
    this.#now = now
    this.#segments = [{ startS: now(), supplyFrom: 0, supply: SUPPLY_OFF }]
  }

  setSupply(supply: SupplyDrive): void {
    const nowS = this.#now()
    this.#segments.push({ startS: nowS, supplyFrom: this.#open(nowS), supply })
    forget(this.#segments, nowS)
  }

  setGenerator(): void {
    // No generator is wired to this bench.
  }

  amps(timeS: number): number {
    const { supply } = segmentAt(this.#segments, timeS)
    const amps = this.#solve(this.#open(timeS))
    return supply.on ? Math.min(amps, supply.limitAmps) : amps
  }

  volts(timeS: number): number {
    const amps = this.amps(timeS)
    return this.#junction(amps) + amps * this.config.seriesOhm
  }

  supplyVolts(timeS: number): number {
    return this.volts(timeS) + this.amps(timeS) * (this.config.resistorOhm + this.config.burdenOhm)
  }

  supplyAmps(timeS: number): number {
    return this.amps(timeS)
  }

  /** What the supply would hold if its limit did not act. */
  #open(timeS: number): number {
    const { startS, supply, supplyFrom } = segmentAt(this.#segments, timeS)
    const target = supply.on ? supply.volts : 0
    return target + (supplyFrom - target) * Math.exp(-Math.max(0, timeS - startS) / this.config.supplySettlingS)
  }

  #junction(amps: number): number {
    const { idealityFactor, temperatureK, saturationCurrentA } = this.config
    return idealityFactor * K_OVER_Q * temperatureK * Math.log1p(amps / saturationCurrentA)
  }

  /** The current at which junction and resistors add up to `volts`; bisection, as the sum grows with the current. */
  #solve(volts: number): number {
    const { resistorOhm, burdenOhm, seriesOhm } = this.config
    const resistance = resistorOhm + burdenOhm + seriesOhm
    let low = 0
    let high = volts / resistance
    if (high <= 0) return 0
    for (let i = 0; i < 200 && high - low > 1e-15 * high; i++) {
      const middle = low > 0 && high / low > 4 ? Math.sqrt(low * high) : (low + high) / 2
      if (this.#junction(middle) + middle * resistance > volts) high = middle
      else low = middle
    }
    return (low + high) / 2
  }
}
