import { type ArgumentsOf, defineService, LabError, type ServiceContext } from '@fernlab/service'

/** What clients are told, and what comes in and goes out is checked by. */
export const contract = defineService({
  kind: 'new-driver',
  version: '1.0',
  title: 'Smooths what was measured',
  actions: {
    smooth: {
      description: 'The mean of each value with its neighbours.',
      arguments: { values: { type: 'array', of: 'float64' } },
      result: { type: 'array', of: 'float64' },
      idempotent: true,
    },
    pieces: {
      description: 'The values in pieces, one after another.',
      arguments: { values: { type: 'array', of: 'float64' }, length: { type: 'integer', minimum: 1, default: 10 } },
      items: { type: 'array', of: 'float64' },
    },
  },
  signals: {
    width: {
      title: 'How many values go into a mean',
      unit: '1',
      dtype: 'integer',
      shape: [],
      kind: 'configuration',
      access: 'read-set',
      limits: { low: 1, high: 1001 },
    },
  },
  events: { smoothed: { title: 'How many values a smoothing had', value: { type: 'integer' } } },
})

type Actions = typeof contract.actions

export default class {
  readonly #context: ServiceContext
  width: number

  constructor(context: ServiceContext) {
    this.#context = context
    // From node.yaml; no client ever sees them.
    this.width = Number(context.parameters.width ?? 3)
  }

  smooth({ values }: ArgumentsOf<Actions['smooth']['arguments']>): Float64Array {
    if (values.length < this.width) {
      const message = `${values.length} values are too few for means of ${this.width}`
      throw new LabError({ code: 'too-few-values', kind: 'caller', message })
    }
    const means = new Float64Array(values.length - this.width + 1)
    for (let i = 0; i < means.length; i++) {
      means[i] = values.subarray(i, i + this.width).reduce((sum, value) => sum + value, 0) / this.width
    }
    this.#context.emit('smoothed', values.length)
    return means
  }

  async *pieces({ values, length = 10 }: ArgumentsOf<Actions['pieces']['arguments']>): AsyncGenerator<Float64Array> {
    for (let at = 0; at < values.length; at += length) yield values.slice(at, at + length)
  }
}
