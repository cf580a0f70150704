import type { ActionSpec, InstrumentSpec, SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { GpioConfig, PinConfig } from './gpio-config.ts'

/** What a configured header can do: one signal a pin, and what is known of its edges. */
export function gpioSpec(name: string, config: GpioConfig): InstrumentSpec {
  const pins = Object.entries(config.pins)
  return {
    name,
    driver: 'gpio',
    signals: pins.flatMap(([pin, each]) => signalsOf(pin, each)),
    actions: pins.flatMap(([pin, { direction }]): ActionSpec[] =>
      direction === 'counter' ? [{ name: resetOf(pin), title: `Count ${pin} from 0`, arguments: {} }] : [],
    ),
  }
}

/** The action that sets a counter back to 0. */
export const resetOf = (pin: string): string => `reset_${pin}`

function signalsOf(name: string, pin: PinConfig): SignalSpec[] {
  const level = { name, unit: '1', dtype: 'boolean', shape: [] } as const
  const reading = { shape: [], kind: 'reading', access: 'read' } as const
  switch (pin.direction) {
    case 'out':
      return [{ ...level, kind: 'reading', access: 'read-set' }]
    case 'in':
      return [
        { ...level, ...reading },
        { name: `${name}_edges`, title: `${name}: changes`, unit: '1', dtype: 'integer', ...reading },
        { name: `${name}_since`, title: `${name}: since`, unit: 's', dtype: 'number', precision: 3, ...reading },
      ]
    case 'counter':
      return [
        { name, title: `${name}: pulses`, unit: '1', dtype: 'integer', ...reading },
        {
          name: `${name}_frequency`,
          title: `${name}: frequency`,
          unit: 'Hz',
          dtype: 'number',
          precision: 2,
          ...reading,
        },
      ]
    case 'pwm':
      return [
        {
          name,
          title: `${name}: duty`,
          unit: '%',
          dtype: 'number',
          shape: [],
          kind: 'reading',
          access: 'read-set',
          limits: { low: 0, high: 100 },
          precision: 1,
        },
      ]
  }
}
