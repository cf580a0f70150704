/** What node.yaml says of `driver: firmata`, and what can be wrong with it before the board is asked. */
import { transportConfigSchema } from '@fernlab/firmware-bridge/transports/transport'
import { identifierSchema, limitsSchema, numberSchemas, unitSchema } from '@fernlab/shared/capabilities/signals'
import type { Finding } from '@fernlab/shared/contracts/yaml-file'
import * as z from 'zod'
import type { Claim } from '../driver.ts'
import { transportClaims } from '../transport-claims.ts'
import { i2cSchema, type RegisterConfig, registerFindings } from './register-config.ts'

const pin = z
  .union([z.int().min(0).max(127), z.string().regex(/^[AD]\d{1,3}$/, 'must be a number, or D9, or A0')])
  .describe("The board's number of the pin, as 9 or D9; A0 is the pin of the analog channel 0.")
const title = z.string().min(1).max(80).describe('What people call it.').exactOptional()
const { precision, resolution, minSetIntervalS, settlingS, uncertainty } = numberSchemas
const measured = { title, unit: unitSchema.default('1'), precision, resolution, uncertainty }
const percent = z.number().min(0).max(100)

const inputSchema = z.strictObject({
  direction: z.literal('in').describe('A contact: a switch, a light barrier.'),
  pin,
  title,
  activeLow: z.boolean().default(false).describe('Whether the low level is on: a switch to ground.'),
  pull: z.enum(['up', 'none']).default('none').describe('The resistor to the supply inside the chip.'),
})

const outputSchema = z.strictObject({
  direction: z.literal('out').describe('A switch: a LED, a relay, a pump.'),
  pin,
  title,
  activeLow: z.boolean().default(false).describe('Whether the low level is on: many relay boards.'),
  initial: z.boolean().describe('On or off once the board is connected. Default: as `safe`.').exactOptional(),
  safe: z.boolean().default(false).describe('On or off as the node ends.'),
  minSetIntervalS,
})

const pwmSchema = z.strictObject({
  direction: z.literal('pwm').describe('On for a share of the time, in percent: a fan, a lamp.'),
  pin,
  title,
  limits: limitsSchema.describe('Percent; values outside are never sent. Default: 0 to 100.').exactOptional(),
  initial: percent.describe('Percent once the board is connected. Default: as `safe`.').exactOptional(),
  safe: percent.default(0).describe('Percent as the node ends.'),
  resolution,
  minSetIntervalS,
  settlingS,
})

const pulseUs = z.int().min(544).max(2400)
const servoSchema = z.strictObject({
  direction: z.literal('servo').describe('A servo, in degrees.'),
  pin,
  title,
  limits: limitsSchema.describe('Degrees; values outside are never sent. Default: 0 to 180.').exactOptional(),
  initial: z.int().min(0).max(180).default(90).describe('Degrees once the board is connected.'),
  minPulseUs: pulseUs.default(544).describe('The pulse at 0°, in microseconds.'),
  maxPulseUs: pulseUs.default(2400).describe('The pulse at 180°, in microseconds.'),
  minSetIntervalS,
  settlingS,
})

const analogSchema = z.strictObject({
  direction: z.literal('analog').describe('A voltage at an analog input.'),
  pin,
  ...measured,
  unit: unitSchema.default('V').describe('In UCUM spelling: V, Cel, kPa. Default: V.'),
  zero: z.number().default(0).describe('The value at 0 V.'),
  full: z.number().default(5).describe("The value at the board's reference: 5 on an Uno, 3.3 on many others."),
})

const stepperSchema = z.strictObject({
  direction: z.literal('stepper').describe('A motor behind a driver with step and direction.'),
  stepPin: pin,
  directionPin: pin,
  enablePin: pin.exactOptional(),
  enableActiveLow: z
    .boolean()
    .default(false)
    .describe('Whether the low level of enablePin is on: A4988, DRV8825, TMC2209.'),
  title,
  unit: unitSchema.default('1').describe('Of its position: mm, deg. Default: steps.'),
  stepsPerUnit: z
    .number()
    .refine((steps) => steps !== 0, 'must not be 0')
    .default(1)
    .describe('Steps for one of the unit; negative where it turns the other way.'),
  speed: z.number().positive().describe('At most so fast, in units a second.'),
  acceleration: z.number().min(0).default(0).describe('In units a second each second; 0: at its speed at once.'),
  limits: limitsSchema.describe('It never goes beyond, counted from where it was zeroed.').exactOptional(),
  precision,
})

const pinSchema = z.discriminatedUnion('direction', [
  inputSchema,
  outputSchema,
  pwmSchema,
  servoSchema,
  analogSchema,
  stepperSchema,
])

export const firmataConfigSchema = z.strictObject({
  transport: transportConfigSchema.describe('Where the board is; nearly all speak at a baudRate of 57600.'),
  samplingMs: z
    .int()
    .min(10)
    .max(10_000)
    .default(20)
    .describe('How often the board measures its analog inputs, in milliseconds.'),
  pins: z
    .record(identifierSchema.max(40), pinSchema)
    .default({})
    .describe('What is at its pins, by the names of the signals.'),
  i2c: i2cSchema.describe('Chips on its I2C pins.').exactOptional(),
})

export type FirmataConfig = z.infer<typeof firmataConfigSchema>
export type PinConfig = z.infer<typeof pinSchema>
export type PinName = z.infer<typeof pin>
export type StepperConfig = z.infer<typeof stepperSchema>

/** As many motors as AccelStepper has. */
const MOST_STEPPERS = 10

/** The pins that it takes, with the keys that name them. */
export function pinsOf(config: PinConfig): readonly (readonly [key: string, pin: PinName])[] {
  if (config.direction !== 'stepper') return [['pin', config.pin]]
  const { stepPin, directionPin, enablePin } = config
  return [
    ['stepPin', stepPin],
    ['directionPin', directionPin],
    ...(enablePin === undefined ? [] : [['enablePin', enablePin] as const]),
  ]
}

/** What the schema can not say. */
export function firmataFindings({ pins, i2c }: FirmataConfig): Finding[] {
  const findings: Finding[] = []
  if (Object.keys(pins).length === 0 && i2c === undefined) {
    findings.push({ path: ['pins'], message: 'must name at least one pin, or i2c.registers a register' })
  }
  const taken = new Map<string, string>()
  for (const [name, config] of Object.entries(pins)) {
    for (const [key, named] of pinsOf(config)) {
      const plain = String(named).replace(/^D/, '')
      const before = taken.get(plain)
      if (before === undefined) taken.set(plain, name)
      else findings.push({ path: ['pins', name, key], message: `pin ${plain} is pins.${before} already` })
    }
    findings.push(...ranges(name, config))
  }
  const steppers = Object.entries(pins).filter(([, { direction }]) => direction === 'stepper')
  const [tooMany] = steppers.slice(MOST_STEPPERS)
  if (tooMany !== undefined) {
    findings.push({ path: ['pins', tooMany[0]], message: `a board drives at most ${MOST_STEPPERS} motors` })
  }
  const registers = i2c?.registers ?? {}
  return [...findings, ...namesTwice(pins, registers), ...registerFindings(registers)]
}

function ranges(name: string, config: PinConfig): Finding[] {
  const at = (key: string, message: string): Finding[] => [{ path: ['pins', name, key], message }]
  switch (config.direction) {
    case 'analog':
      return config.full === config.zero ? at('full', 'must not be as zero') : []
    case 'servo':
      if (config.minPulseUs >= config.maxPulseUs) return at('minPulseUs', 'must be below maxPulseUs')
      return outside(config.limits, config.initial) ? at('initial', 'is outside limits') : []
    case 'pwm':
      if (outside(config.limits, config.safe)) return at('safe', 'is outside limits')
      return outside(config.limits, config.initial ?? config.safe) ? at('initial', 'is outside limits') : []
    case 'stepper':
      return Math.abs(config.stepsPerUnit) * config.speed > 83_886
        ? at('speed', 'is more than 83886 steps a second')
        : []
    default:
      return []
  }
}

const outside = (limits: { low?: number; high?: number } | undefined, value: number): boolean =>
  value < (limits?.low ?? -Infinity) || value > (limits?.high ?? Infinity)

/** Signals that two parts of the config would name alike. */
function namesTwice(pins: FirmataConfig['pins'], registers: Readonly<Record<string, RegisterConfig>>): Finding[] {
  const besides = Object.entries(pins).flatMap(([name, { direction }]) =>
    direction === 'stepper' ? ['moving', 'speed', 'acceleration', 'enabled'].map((each) => `${name}_${each}`) : [],
  )
  return [
    ...Object.keys(pins)
      .filter((name) => besides.includes(name))
      .map((name) => ({ path: ['pins', name], message: 'is a signal of a motor already' })),
    ...Object.keys(registers)
      .filter((name) => Object.hasOwn(pins, name) || besides.includes(name))
      .map((name) => ({ path: ['i2c', 'registers', name], message: `the signal ${name} is one of pins already` })),
  ]
}

/** The port that the board has to itself. */
export const firmataClaims = ({ transport }: FirmataConfig): readonly Claim[] =>
  transportClaims(transport, ['transport'])
