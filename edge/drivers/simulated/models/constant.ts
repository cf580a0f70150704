/** A value that is set and read at once: for trying a set-up, and for measuring what everything else costs. */
import * as z from 'zod'
import type { Instrument, SignalValue } from '../../driver.ts'
import { cannot, type SimulatedModel } from '../model.ts'

export const constantModel: SimulatedModel = {
  name: 'constant',
  title: 'A value that is set and read at once.',
  settingsSchema: z.strictObject({ value: z.number().default(0).describe('The value at the start. Default: 0.') }),
  create: (settings, { name, clock }): Instrument => {
    let value: SignalValue = (settings as { value: number }).value
    return {
      spec: {
        name,
        driver: 'simulated',
        model: 'constant',
        signals: [
          {
            name: 'value',
            title: 'Value',
            unit: '1',
            dtype: 'number',
            shape: [],
            kind: 'configuration',
            access: 'read-set',
            limits: { low: -1e9, high: 1e9 },
            setS: 0,
            readS: 0,
            maxRateHz: 1000,
          },
        ],
        actions: [{ name: 'noop', title: 'Do nothing', arguments: {}, typicalS: 0 }],
      },
      open: async (signal) => signal.throwIfAborted(),
      read: async (signals, signal) => {
        signal.throwIfAborted()
        for (const each of signals) if (each !== 'value') throw cannot(name, `read ${each}`)
        return { value: { value, time: clock.now() / 1000 } }
      },
      set: async (signalName, wanted, signal) => {
        signal.throwIfAborted()
        if (signalName !== 'value') throw cannot(name, `set ${signalName}`)
        value = wanted
      },
      call: async (action, _, signal) => {
        signal.throwIfAborted()
        if (action !== 'noop') throw cannot(name, `do ${action}`)
      },
      close: async () => {},
    }
  },
}
