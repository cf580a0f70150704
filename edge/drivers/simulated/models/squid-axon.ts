/**
 * The squid giant axon: membrane potential and the three gates.
 *
 * Equations and constants: A. L. Hodgkin & A. F. Huxley, "A quantitative description of membrane current and its
 * application to conduction and excitation in nerve", J. Physiol. 117, 500–544 (1952), equations 3, 7, 12, 13, 15, 16,
 * 20, 21, 23, 24 and table 3, at 6.3 °C. Potentials are counted as today: inside minus outside, −65 mV at rest (theirs:
 * displacement from rest, depolarisation negative). Their leak potential, 10.613 mV, is that of zero current at rest.
 *
 * Integration: gates and potential half a step apart, each by the exact solution with the other held, which is of second
 * order (M. Hines, Int. J. Bio-Med. Comput. 15, 69–76, 1984; S. Rush & H. Larsen, IEEE Trans. Biomed. Eng. 25, 389, 1978).
 */

/** Milliseconds. */
export const STEP_MS = 0.01

export const AXON = {
  /** uF/cm2 */
  capacitance: 1,
  /** mS/cm2 */
  sodium: 120,
  potassium: 36,
  leak: 0.3,
  /** mV */
  sodiumMv: 50,
  potassiumMv: -77,
  leakMv: -54.387,
  restMv: -65,
  celsius: 6.3,
} as const

export class SquidAxon {
  potentialMv: number = AXON.restMv
  m = 0
  h = 0
  n = 0
  readonly #speed: number

  /** Rates grow threefold each 10 °C from 6.3 °C (Hodgkin & Huxley's Q10). */
  constructor(celsius: number = AXON.celsius) {
    this.#speed = 3 ** ((celsius - AXON.celsius) / 10)
    this.reset()
  }

  /** At rest, with the gates at their steady values. */
  reset(): void {
    const v = AXON.restMv
    this.potentialMv = v
    this.m = alphaM(v) / (alphaM(v) + betaM(v))
    this.h = alphaH(v) / (alphaH(v) + betaH(v))
    this.n = alphaN(v) / (alphaN(v) + betaN(v))
  }

  /** One step of 0.01 ms with `current` (uA/cm2, inward positive: it depolarises). */
  step(current: number): void {
    const v = this.potentialMv
    const dt = STEP_MS * this.#speed
    this.m = relax(this.m, alphaM(v), betaM(v), dt)
    this.h = relax(this.h, alphaH(v), betaH(v), dt)
    this.n = relax(this.n, alphaN(v), betaN(v), dt)
    const sodium = AXON.sodium * this.m ** 3 * this.h
    const potassium = AXON.potassium * this.n ** 4
    const total = sodium + potassium + AXON.leak
    const target = (sodium * AXON.sodiumMv + potassium * AXON.potassiumMv + AXON.leak * AXON.leakMv + current) / total
    this.potentialMv = target + (v - target) * Math.exp((-STEP_MS * total) / AXON.capacitance)
  }
}

const relax = (gate: number, alpha: number, beta: number, dt: number): number => {
  const target = alpha / (alpha + beta)
  return target + (gate - target) * Math.exp(-(alpha + beta) * dt)
}

/** x/(1 − exp(−x)), whose value at 0 is 1. */
const ratio = (x: number): number => (Math.abs(x) < 1e-6 ? 1 + x / 2 : x / -Math.expm1(-x))

// Rates per ms, potentials in mV.
const alphaM = (v: number): number => ratio((v + 40) / 10)
const betaM = (v: number): number => 4 * Math.exp(-(v + 65) / 18)
const alphaH = (v: number): number => 0.07 * Math.exp(-(v + 65) / 20)
const betaH = (v: number): number => 1 / (1 + Math.exp(-(v + 35) / 10))
const alphaN = (v: number): number => 0.1 * ratio((v + 55) / 10)
const betaN = (v: number): number => 0.125 * Math.exp(-(v + 65) / 80)
