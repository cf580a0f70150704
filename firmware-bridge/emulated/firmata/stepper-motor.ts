/** A motor that follows its driver step by step: speeds up, slows down so that it stands where it should. */
const STEP_S = 0.001

export class StepperMotor {
  readonly #nowS: () => number
  #steps = 0
  #speed = 0
  #target = 0
  #atS: number
  /** In steps/s and steps/s²; without acceleration it is at its speed at once. */
  topSpeed = 1
  acceleration = 0

  constructor(nowS: () => number) {
    this.#nowS = nowS
    this.#atS = nowS()
  }

  get moves(): boolean {
    this.#advance()
    return this.#speed !== 0 || Math.round(this.#steps) !== this.#target
  }

  position(): number {
    this.#advance()
    return Math.round(this.#steps)
  }

  to(steps: number): void {
    this.#advance()
    this.#target = steps
  }

  /** Where it stands is 0. */
  zero(): void {
    this.#advance()
    this.#steps = 0
    this.#speed = 0
    this.#target = 0
  }

  /** Comes to a stand as fast as it may. */
  stop(): void {
    this.#advance()
    this.#target = Math.round(this.#steps + Math.sign(this.#speed) * this.#stoppingSteps())
  }

  #stoppingSteps(): number {
    return this.acceleration === 0 ? 0 : this.#speed ** 2 / (2 * this.acceleration)
  }

  #advance(): void {
    const toS = this.#nowS()
    for (; this.#atS + STEP_S <= toS; this.#atS += STEP_S) {
      const left = this.#target - this.#steps
      if (Math.abs(left) < 0.5 && this.#stoppingSteps() < 1) {
        this.#steps = this.#target
        this.#speed = 0
        this.#atS = toS
        return
      }
      const mustSlowDown = Math.sign(left) !== Math.sign(this.#speed) || Math.abs(left) <= this.#stoppingSteps()
      const wanted = mustSlowDown && this.acceleration > 0 && this.#speed !== 0 ? 0 : Math.sign(left) * this.topSpeed
      const most = this.acceleration === 0 ? Number.POSITIVE_INFINITY : this.acceleration * STEP_S
      this.#speed += Math.max(-most, Math.min(most, wanted - this.#speed))
      const step = this.#speed * STEP_S
      this.#steps += Math.sign(step) === Math.sign(left) && Math.abs(step) > Math.abs(left) ? left : step
    }
  }
}
