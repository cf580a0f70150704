/** The calibrations of the stand-in for the hub. */
import type { Calibration, CalibrationRecord, SignalCalibrations } from '@fernlab/shared/contracts/calibrations'
import { lastGood } from '@fernlab/shared/contracts/calibrations-in-force'
import { json, problem } from './fake-answers.ts'
import { calibrations } from './fake-staff.ts'
import type { FakeState } from './fake-state.ts'

/** Those of one node: added, undone, and refused as a node does. */
export class FakeCalibrations {
  readonly #hub: FakeState
  readonly #histories = new Map<string, readonly CalibrationRecord[]>(
    calibrations.map(({ signal, history }) => [signal, history]),
  )

  constructor(hub: FakeState) {
    this.#hub = hub
  }

  /** The answer to a request below `/api/v1/nodes/{node}/calibrations`. */
  answer(method: string, verb: string | undefined, body: unknown) {
    const items = [...this.#histories].map(
      ([signal, history]): SignalCalibrations => ({ signal, history: [...history] }),
    )
    if (method === 'GET') return json({ items })
    const { signal, ...calibration } = body as Calibration & { signal: string }
    const history = this.#histories.get(signal) ?? []
    const by = this.#hub.ownName
    const at = new Date().toISOString()
    if (verb === 'undo') {
      const last = lastGood(history)
      if (last === undefined) return problem(409, 'calibration-none')
      return this.#keep(
        signal,
        history.map((each) => (each === last ? { ...each, undone: { by, at } } : each)),
      )
    }
    if (calibration.curve?.form === 'polynomial' && signal === 'supply.voltage') {
      const message = `voltage is set, but the polynomial does not rise or fall all the way over 0 V to 10 V: a value would have two raw values`
      return problem(422, 'calibration-unfit', { detail: message, hint: message })
    }
    return this.#keep(signal, [...history, { ...calibration, by, at }])
  }

  #keep(signal: string, history: readonly CalibrationRecord[]) {
    this.#histories.set(signal, history)
    return json({ signal, history })
  }
}
