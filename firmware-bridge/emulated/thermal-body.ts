/** A body with one temperature: heated, and cooled by the room (Newton's law). */
export interface ThermalBodyOptions {
  readonly capacityJPerK: number
  readonly lossWPerK: number
  readonly roomCel: number
  readonly nowS: () => number
}

/** Short against what it lasts until a body of some 100 J/K under some 100 W is at its temperature. */
const STEP_S = 0.05
/** Beyond it a body is where it settles. */
const LONGEST_S = 3600

export class ThermalBody {
  readonly #options: ThermalBodyOptions
  #celsius: number
  #power: (celsius: number) => number = () => 0
  #atS: number

  constructor(options: ThermalBodyOptions) {
    this.#options = options
    this.#celsius = options.roomCel
    this.#atS = options.nowS()
  }

  /** From now on it is heated with so many watts at a temperature. */
  heat(watts: (celsius: number) => number): void {
    this.#advance()
    this.#power = watts
  }

  /** Its temperature now. */
  celsius(): number {
    this.#advance()
    return this.#celsius
  }

  /** What heats it now, in watts. */
  watts(): number {
    return this.#power(this.celsius())
  }

  #advance(): void {
    const { capacityJPerK, lossWPerK, roomCel, nowS } = this.#options
    const toS = nowS()
    for (let leftS = Math.min(LONGEST_S, toS - this.#atS); leftS > 0; leftS -= STEP_S) {
      const flow = this.#power(this.#celsius) - lossWPerK * (this.#celsius - roomCel)
      this.#celsius += (flow / capacityJPerK) * Math.min(STEP_S, leftS)
    }
    this.#atS = toS
  }
}
