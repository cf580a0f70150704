/**
 * A resistor and a capacitor in series behind a supply and a generator (themselves in series), with a meter across the
 * capacitor. Between two settings the response is known in closed form, so it is exact at every moment and costs
 * nothing while no one looks: `v(t) = p(t) + (v0 − p(t0))·exp(−(t − t0)/τ)`, where p is the response long after
 * switching on (superposition; e.g. Horowitz & Hill, The Art of Electronics, 3rd ed., 1.4 and 1.7).
 */
import {
  type Circuit,
  forget,
  GENERATOR_OFF,
  type GeneratorDrive,
  SUPPLY_OFF,
  type SupplyDrive,
  segmentAt,
} from './circuit.ts'

export interface RcConfig {
  readonly resistanceOhm: number
  readonly capacitanceF: number
  /** Input resistance of the meter across the capacitor. */
  readonly meterOhm: number
  /** Output resistance of the supply, and of the generator while it is on. */
  readonly supplyOhm: number
  readonly generatorOhm: number
  /** Time constant with which the supply takes on a new voltage. */
  readonly supplySettlingS: number
}

interface Segment {
  readonly startS: number
  /** Capacitor voltage and supply voltage at the start. */
  readonly startVolts: number
  readonly supplyFrom: number
  readonly supply: SupplyDrive
  readonly generator: GeneratorDrive
  /** Generator's phase at the start, in turns. */
  readonly turns: number
}

export class RcCircuit implements Circuit {
  readonly config: RcConfig
  readonly #now: () => number
  readonly #segments: Segment[]

  /** `now` gives the world's time in seconds. */
  constructor(config: RcConfig, now: () => number) {
    this.config = config
    this.#now = now
    this.#segments = [
      { startS: now(), startVolts: 0, supplyFrom: 0, supply: SUPPLY_OFF, generator: GENERATOR_OFF, turns: 0 },
    ]
  }

  setSupply(supply: SupplyDrive): void {
    this.#turn(supply, this.#latest().generator)
  }

  setGenerator(generator: GeneratorDrive): void {
    this.#turn(this.#latest().supply, generator)
  }

  volts(timeS: number): number {
    const segment = segmentAt(this.#segments, timeS)
    return this.#capacitor(segment, Math.max(0, timeS - segment.startS))
  }

  amps(timeS: number): number {
    const segment = segmentAt(this.#segments, timeS)
    const sinceS = Math.max(0, timeS - segment.startS)
    const limited = this.#limited(segment)
    if (limited !== undefined && sinceS < limited.untilS) return limited.amps
    return (this.#source(segment, sinceS) - this.#capacitor(segment, sinceS)) / this.#resistance(segment)
  }

  supplyVolts(timeS: number): number {
    const segment = segmentAt(this.#segments, timeS)
    const sinceS = Math.max(0, timeS - segment.startS)
    const limited = this.#limited(segment)
    if (limited !== undefined && sinceS < limited.untilS) {
      return this.#capacitor(segment, sinceS) + limited.amps * this.config.resistanceOhm
    }
    return this.#supply(segment, sinceS) - this.amps(timeS) * this.config.supplyOhm
  }

  supplyAmps(timeS: number): number {
    return this.amps(timeS)
  }

  #latest(): Segment {
    return this.#segments[this.#segments.length - 1] as Segment
  }

  #turn(supply: SupplyDrive, generator: GeneratorDrive): void {
    const nowS = this.#now()
    const last = this.#latest()
    const sinceS = nowS - last.startS
    const turns = last.generator.on ? last.turns + sinceS * last.generator.frequencyHz : 0
    this.#segments.push({
      startS: nowS,
      startVolts: this.#capacitor(last, sinceS),
      supplyFrom: this.#supply(last, sinceS),
      supply,
      generator,
      turns: turns - Math.floor(turns),
    })
    forget(this.#segments, nowS)
  }

  #resistance({ generator }: Segment): number {
    return this.config.resistanceOhm + this.config.supplyOhm + (generator.on ? this.config.generatorOhm : 0)
  }

  #supply({ supply, supplyFrom }: Segment, sinceS: number): number {
    const target = supply.on ? supply.volts : 0
    return target + (supplyFrom - target) * Math.exp(-sinceS / this.config.supplySettlingS)
  }

  #source(segment: Segment, sinceS: number): number {
    const { generator, turns } = segment
    const supply = this.#supply(segment, sinceS)
    if (!generator.on) return supply
    const phase = turns + sinceS * generator.frequencyHz
    const part = phase - Math.floor(phase)
    const wave =
      generator.shape === 'sine'
        ? Math.sin(2 * Math.PI * part)
        : generator.shape === 'square'
          ? part < 0.5
            ? 1
            : -1
          : 0
    return supply + generator.offsetV + generator.amplitudeV * wave
  }

  #capacitor(segment: Segment, sinceS: number): number {
    const limited = this.#limited(segment)
    if (limited !== undefined) return limited.volts(sinceS)
    const { tau } = this.#thevenin(segment)
    return (
      this.#longAfter(segment, sinceS) + (segment.startVolts - this.#longAfter(segment, 0)) * Math.exp(-sinceS / tau)
    )
  }

  /** The meter divides the voltage and shortens the time constant. */
  #thevenin(segment: Segment): { gain: number; tau: number } {
    const resistance = this.#resistance(segment)
    const { meterOhm, capacitanceF } = this.config
    return {
      gain: meterOhm / (resistance + meterOhm),
      tau: (capacitanceF * resistance * meterOhm) / (resistance + meterOhm),
    }
  }

  /** The particular solution: constant, settling supply, and the periodic steady state. */
  #longAfter(segment: Segment, sinceS: number): number {
    const { supply, supplyFrom, generator, turns } = segment
    const { gain, tau } = this.#thevenin(segment)
    const target = supply.on ? supply.volts : 0
    const settling = this.config.supplySettlingS
    let volts = gain * target + ((gain * (supplyFrom - target)) / (1 - tau / settling)) * Math.exp(-sinceS / settling)
    if (!generator.on) return volts
    volts += gain * generator.offsetV
    const amplitude = gain * generator.amplitudeV
    const phase = turns + sinceS * generator.frequencyHz
    if (generator.shape === 'sine') {
      const omegaTau = 2 * Math.PI * generator.frequencyHz * tau
      volts += (amplitude / Math.hypot(1, omegaTau)) * Math.sin(2 * Math.PI * phase - Math.atan(omegaTau))
    } else if (generator.shape === 'square') {
      const part = phase - Math.floor(phase)
      const periodS = 1 / generator.frequencyHz
      const intoHalfS = (part < 0.5 ? part : part - 0.5) * periodS
      const half = amplitude * (1 - (2 * Math.exp(-intoHalfS / tau)) / (1 + Math.exp(-periodS / (2 * tau))))
      volts += part < 0.5 ? half : -half
    }
    return volts
  }

  /** Charging at the supply's current limit, then by the resistor; undefined when the limit does not act. */
  #limited(segment: Segment): { amps: number; untilS: number; volts: (sinceS: number) => number } | undefined {
    const { supply, generator, startVolts } = segment
    if (generator.on || !supply.on) return undefined
    const resistance = this.#resistance(segment)
    const wanted = (supply.volts - startVolts) / resistance
    if (Math.abs(wanted) <= supply.limitAmps) return undefined
    const amps = Math.sign(wanted) * supply.limitAmps
    const { meterOhm, capacitanceF } = this.config
    const leakS = meterOhm * capacitanceF
    const excess = startVolts - amps * meterOhm
    const crossing = supply.volts - amps * resistance
    const untilS =
      supply.limitAmps === 0 ? Number.POSITIVE_INFINITY : -leakS * Math.log1p((crossing - startVolts) / excess)
    const { gain, tau } = this.#thevenin(segment)
    return {
      amps,
      untilS,
      volts: (sinceS) => {
        if (sinceS < untilS) return startVolts + excess * Math.expm1(-sinceS / leakS)
        return gain * supply.volts + (crossing - gain * supply.volts) * Math.exp(-(sinceS - untilS) / tau)
      },
    }
  }
}
