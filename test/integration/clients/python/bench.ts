/** A power supply whose contract has something of each kind. */
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { Service } from '@fernlab/shared/rpc/contract/serve-service'
import { defineService, type ServiceContract } from '@fernlab/shared/rpc/contract/service-contract'

const contract = defineService({
  kind: 'demo-supply',
  version: '1.2',
  title: 'A power supply',
  signals: {
    voltage: {
      title: 'Output voltage',
      unit: 'V',
      dtype: 'number',
      shape: [],
      kind: 'configuration',
      access: 'read-set',
      limits: { low: 0, high: 5 },
    },
    current: { unit: 'A', dtype: 'number', shape: [], kind: 'reading', access: 'read' },
  },
  events: { overheated: { value: { type: 'number', unit: 'Cel' } } },
  actions: {
    ramp: {
      title: 'Goes to a voltage in steps',
      description: 'The output stays on.',
      arguments: {
        to: { type: 'number', unit: 'V', minimum: 0, maximum: 5, description: { en: 'Where to', es: 'Adónde' } },
        steps: { type: 'integer', minimum: 1, default: 10 },
        from: { type: 'number', unit: 'V', default: 0 },
      },
      result: { type: 'array', of: 'float64', unit: 'V' },
      typicalS: 0.5,
    },
    count: { arguments: { to: { type: 'integer' } }, items: { type: 'integer' } },
    read: { title: 'Has the name of what each proxy has', arguments: {}, result: { type: 'string' } },
    mean: { arguments: { values: { type: 'array', of: 'float64' } }, result: { type: 'number' } },
    ask: { arguments: { each: { type: 'any' } }, result: { type: 'any' } },
    /** The first call for a key is never answered. */
    begin: { arguments: { key: { type: 'string' } }, idempotent: true, result: { type: 'string' } },
  },
})

/** `begun` holds the keys that `begin` was called with; `change` makes it another version. */
export function demoSupply() {
  let voltage = 0
  const begun = new Set<string>()
  let met: ServiceContract = contract
  const actions: Record<string, (args: never) => unknown> = {
    ramp: ({ to, steps, from }: { to: number; steps: number; from: number }) => {
      voltage = to
      return Float64Array.from({ length: steps }, (_, n) => from + ((to - from) * (n + 1)) / steps)
    },
    count: async function* ({ to }: { to: number }) {
      for (let n = 1; n <= to; n++) yield n
    },
    read: () => 'the action',
    mean: ({ values }: { values: Float64Array }) => values.reduce((all, value) => all + value, 0) / values.length,
    ask: ({ each }: { each: (n: number) => Promise<unknown> }) => each(2),
    begin: ({ key }: { key: string }) => {
      if (begun.has(key)) return 'repeated'
      begun.add(key)
      return new Promise(() => {})
    },
  }
  const service: Service = {
    get contract() {
      return met
    },
    call: (action, args) => actions[action]?.(args as never),
    read: async (signals) =>
      Object.fromEntries(
        signals.map((name) => [name, { value: name === 'voltage' ? voltage : voltage / 100, time: 1_700_000_000 }]),
      ),
    set: async (_signal, value) => {
      voltage = value as number
    },
    async *follow(signals, rateHz = 100, { signal }) {
      for (;;) {
        yield Object.fromEntries(signals.map((name) => [name, { value: voltage, time: systemClock.now() / 1000 }]))
        await systemClock.sleep(1000 / rateHz, signal)
      }
    },
    async *events() {
      yield { event: 'overheated', value: 81 }
    },
  }
  return {
    service,
    begun,
    change: (version: string, unit: string) => {
      met = { ...contract, version, signals: { ...contract.signals, voltage: { ...contract.signals.voltage, unit } } }
    },
    restore: () => {
      met = contract
    },
  }
}
