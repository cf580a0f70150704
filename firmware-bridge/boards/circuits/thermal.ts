/**
 * A heated block, as a class builds it: a power resistor on an aluminium block, switched by a transistor at D9, and a
 * thermistor in the block, with 10 kΩ to 5 V, at A0. A TMP102 in the air beside it says what ambient is.
 *
 * Two lumps of heat (the resistor; the block) and the lag of the thermistor:
 *
 *     C_r dT_r/dt = P − G_rb (T_r − T_b)
 *     C_b dT_b/dt = G_rb (T_r − T_b) − G_a (T_b − T_a)
 *     τ_s dT_s/dt = T_b − T_s
 *
 * with P the heater's power while D9 is high. Integrated by the classical Runge–Kutta method in steps of at most 5 ms of
 * board time, far below the shortest time constant (0.3 s).
 */
import { emulateTmp102 } from '../../emulated/i2c/thermometers.ts'
import { createNoise, type Noise } from '../../emulated/noise.ts'
import type { ChipsByAddress } from '../i2c/i2c-bus.ts'
import type { BoardCircuit, UnoPin } from './board-circuit.ts'

export interface ThermalConfig {
  /** Power of the heater that is on for good, in W. */
  readonly heaterW: number
  readonly heaterJPerK: number
  readonly blockJPerK: number
  readonly heaterToBlockWPerK: number
  readonly blockToAirWPerK: number
  readonly sensorLagS: number
  readonly ambientC: number
  /** Slow wander of the room, standard deviation in K. */
  readonly draughtK: number
  /** Noise at the analogue input, standard deviation in V. */
  readonly noiseV: number
}

/** Of the thermistor: 10 kΩ at 25 °C, B 3950 K. */
const R25_OHM = 10_000
const BETA_K = 3950
const PULL_UP_OHM = 10_000
const SUPPLY_V = 5
const KELVIN = 273.15
const STEP_S = 0.005
/** The room's wander returns to its mean over this time. */
const DRAUGHT_S = 60

/** 5 W on a small block: a time constant of 14 s, and an end temperature near 85 °C at full power; ±3 % by `name`. */
export function thermalConfig(name: string): ThermalConfig {
  const tolerance = createNoise(`${name}/parts`)
  const about = (value: number) => value * (1 + 0.03 * (2 * tolerance.uniform() - 1))
  return {
    heaterW: about(5),
    heaterJPerK: about(0.15),
    blockJPerK: about(1),
    heaterToBlockWPerK: about(0.5),
    blockToAirWPerK: about(0.08),
    sensorLagS: about(1.2),
    ambientC: 22 + 2 * (2 * tolerance.uniform() - 1),
    draughtK: 0.15,
    noiseV: 0.0015,
  }
}

/** Temperatures in °C. */
interface State {
  readonly heater: number
  readonly block: number
  readonly sensor: number
}

export class ThermalCircuit implements BoardCircuit {
  readonly i2c: ChipsByAddress
  readonly #config: ThermalConfig
  readonly #noise: Noise
  #state: State
  #draught = 0
  #timeS = 0
  #heating = false

  constructor(config: ThermalConfig, seed: string) {
    this.#config = config
    this.#noise = createNoise(`${seed}/noise`)
    this.#state = { heater: config.ambientC, block: config.ambientC, sensor: config.ambientC }
    const thermometer = emulateTmp102({
      nowS: () => this.#timeS,
      noise: createNoise(`${seed}/thermometer`),
      instant: false,
      temperatureCel: () => this.ambientC,
    })
    thermometer.powerOn()
    this.i2c = new Map([[0x48, thermometer]])
  }

  get ambientC(): number {
    return this.#config.ambientC + this.#draught
  }

  /** What a perfect thermometer in the block would show at that time. */
  blockC(timeS: number): number {
    this.#advance(timeS)
    return this.#state.block
  }

  volts(pin: UnoPin, timeS: number): number | undefined {
    if (pin !== 'A0') return undefined
    this.#advance(timeS)
    const resistance = thermistorOhm(this.#state.sensor)
    const clean = (SUPPLY_V * resistance) / (resistance + PULL_UP_OHM)
    return clean + this.#config.noiseV * this.#noise.normal()
  }

  driven(pin: UnoPin, high: boolean, timeS: number): void {
    if (pin !== 'D9') return
    this.#advance(timeS)
    this.#heating = high
  }

  released(timeS: number): void {
    this.driven('D9', false, timeS)
  }

  passed(timeS: number): void {
    this.#advance(timeS)
  }

  #advance(timeS: number): void {
    while (this.#timeS < timeS) {
      const step = Math.min(STEP_S, timeS - this.#timeS)
      this.#state = rungeKutta(this.#state, step, (state) => this.#slope(state))
      const keep = Math.exp(-step / DRAUGHT_S)
      this.#draught = this.#draught * keep + this.#config.draughtK * Math.sqrt(1 - keep * keep) * this.#noise.normal()
      this.#timeS += step
      // A remainder that does not move a double's last digit is no time.
      if (step < 1e-12) this.#timeS = timeS
    }
  }

  #slope({ heater, block, sensor }: State): State {
    const { heaterW, heaterJPerK, blockJPerK, heaterToBlockWPerK, blockToAirWPerK, sensorLagS } = this.#config
    const into = heaterToBlockWPerK * (heater - block)
    return {
      heater: ((this.#heating ? heaterW : 0) - into) / heaterJPerK,
      block: (into - blockToAirWPerK * (block - this.ambientC)) / blockJPerK,
      sensor: (block - sensor) / sensorLagS,
    }
  }
}

/** The thermistor's resistance by the B equation. */
export function thermistorOhm(celsius: number): number {
  return R25_OHM * Math.exp(BETA_K * (1 / (celsius + KELVIN) - 1 / (25 + KELVIN)))
}

function rungeKutta(state: State, step: number, slope: (state: State) => State): State {
  const plus = (by: State, factor: number): State => ({
    heater: state.heater + by.heater * factor,
    block: state.block + by.block * factor,
    sensor: state.sensor + by.sensor * factor,
  })
  const a = slope(state)
  const b = slope(plus(a, step / 2))
  const c = slope(plus(b, step / 2))
  const d = slope(plus(c, step))
  const mean = (of: (each: State) => number) => (of(a) + 2 * of(b) + 2 * of(c) + of(d)) / 6
  return plus({ heater: mean((s) => s.heater), block: mean((s) => s.block), sensor: mean((s) => s.sensor) }, step)
}
