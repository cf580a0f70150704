import type { ActionSpec, InstrumentSpec, SignalSpec } from '@fernlab/shared/capabilities/signals'
import type { FirmataConfig, PinConfig, StepperConfig } from './config.ts'
import type { RegisterConfig } from './register-config.ts'
import { limitsOf } from './registers.ts'

/** What a configured board can do. */
export function firmataSpec(name: string, { pins, i2c }: FirmataConfig): InstrumentSpec {
  return {
    name,
    driver: 'firmata',
    signals: [
      ...Object.entries(pins).flatMap(([pin, config]) => signalsOf(pin, config)),
      ...Object.entries(i2c?.registers ?? {}).map(([register, config]) => registerSignal(register, config)),
    ],
    actions: Object.entries(pins).flatMap(([pin, config]): ActionSpec[] =>
      config.direction === 'stepper' ? motorActions(pin, config.unit) : [],
    ),
  }
}

export const stopOf = (pin: string): string => `stop_${pin}`
export const zeroOf = (pin: string): string => `zero_${pin}`
export const moveOf = (pin: string): string => `move_${pin}`
export const movingOf = (pin: string): string => `${pin}_moving`
export const speedOf = (pin: string): string => `${pin}_speed`
export const accelerationOf = (pin: string): string => `${pin}_acceleration`
export const enabledOf = (pin: string): string => `${pin}_enabled`

/** Signals that a motor has beside its position. */
export const besidesOf = (pin: string): readonly string[] =>
  [movingOf, speedOf, accelerationOf, enabledOf].map((of) => of(pin))

function motorActions(pin: string, unit: string): ActionSpec[] {
  const by = { type: 'number', unit, title: 'By', description: 'How far from where it is.' } as const
  return [
    { name: moveOf(pin), title: `Move ${pin}`, arguments: { by } },
    { name: stopOf(pin), title: `Stop ${pin}`, arguments: {} },
    { name: zeroOf(pin), title: `Count ${pin} from 0 here`, arguments: {} },
  ]
}

const reading = { shape: [], kind: 'reading', access: 'read' } as const
const settable = { shape: [], kind: 'reading', access: 'read-set' } as const

function signalsOf(name: string, config: PinConfig): SignalSpec[] {
  const named = { name, ...(config.title === undefined ? {} : { title: config.title }) }
  switch (config.direction) {
    case 'in':
      return [{ ...named, unit: '1', dtype: 'boolean', ...reading }]
    case 'out':
      return [{ ...named, unit: '1', dtype: 'boolean', ...settable, ...given(config, ['minSetIntervalS']) }]
    case 'pwm':
      return [
        {
          ...named,
          unit: '%',
          dtype: 'number',
          ...settable,
          precision: 1,
          limits: within(config.limits, 0, 100),
          ...given(config, ['resolution', 'minSetIntervalS', 'settlingS']),
        },
      ]
    case 'servo':
      return [
        {
          ...named,
          unit: 'deg',
          dtype: 'number',
          ...settable,
          precision: 0,
          resolution: 1,
          limits: within(config.limits, 0, 180),
          ...given(config, ['minSetIntervalS', 'settlingS']),
        },
      ]
    case 'analog':
      return [
        {
          ...named,
          unit: config.unit,
          dtype: 'number',
          ...reading,
          ...given(config, ['precision', 'resolution', 'uncertainty']),
        },
      ]
    case 'stepper':
      return [
        {
          ...named,
          unit: config.unit,
          dtype: 'number',
          ...settable,
          resolution: 1 / Math.abs(config.stepsPerUnit),
          ...given(config, ['limits', 'precision']),
        },
        { name: movingOf(name), title: `${name}: moves`, unit: '1', dtype: 'boolean', ...reading },
        rateSignal(speedOf(name), `${name}: speed`, `${config.unit}/s`, config.speed, config),
        ...(config.acceleration === 0
          ? []
          : [
              rateSignal(
                accelerationOf(name),
                `${name}: acceleration`,
                `${config.unit}/s2`,
                config.acceleration,
                config,
              ),
            ]),
        ...(config.enablePin === undefined
          ? []
          : [
              {
                name: enabledOf(name),
                title: `${name}: holds`,
                unit: '1',
                dtype: 'boolean',
                ...settable,
                kind: 'configuration',
              } as const,
            ]),
      ]
  }
}

/** How fast from now on, up to what node.yaml has; a board's clock counts no slower steps than these. */
const LEAST_STEPS = 0.001

function rateSignal(
  name: string,
  title: string,
  unit: string,
  most: number,
  { stepsPerUnit }: Pick<StepperConfig, 'stepsPerUnit'>,
): SignalSpec {
  const low = Math.min(most, LEAST_STEPS / Math.abs(stepsPerUnit))
  return { name, title, unit, dtype: 'number', ...settable, kind: 'configuration', limits: { low, high: most } }
}

const registerSignal = (name: string, config: RegisterConfig): SignalSpec => ({
  name,
  unit: config.unit,
  dtype: 'number',
  ...reading,
  access: config.access,
  ...given(config, ['title', 'precision', 'resolution', 'uncertainty', 'minSetIntervalS', 'settlingS']),
  ...(config.access === 'read' ? {} : { limits: limitsOf(config) }),
})

const within = (limits: { low?: number; high?: number } | undefined, low: number, high: number) => ({
  low: Math.max(low, limits?.low ?? low),
  high: Math.min(high, limits?.high ?? high),
})

/** Those of the keys that are there. */
function given<T extends object, K extends keyof T>(
  from: T,
  keys: readonly K[],
): { [P in K]?: Exclude<T[P], undefined> } {
  return Object.fromEntries(keys.flatMap((key) => (from[key] === undefined ? [] : [[key, from[key]]]))) as {
    [P in K]?: Exclude<T[P], undefined>
  }
}
