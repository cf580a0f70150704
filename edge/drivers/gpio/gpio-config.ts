/** What node.yaml says of `driver: gpio`, and what can be wrong with it before any hardware is touched. */
import { identifierSchema } from '@fernlab/shared/capabilities/signals'
import type { Finding } from '@fernlab/shared/contracts/yaml-file'
import * as z from 'zod'
import type { Claim } from '../driver.ts'

/** The chips behind the 40-pin header: of a Pi 1 to 3 and Zero, of a Pi 4, of a Pi 5. */
export const HEADER_LABELS: readonly string[] = ['pinctrl-bcm2835', 'pinctrl-bcm2711', 'pinctrl-rp1']
const LAST_HEADER_PIN = 27

const common = {
  pin: z.int().min(0).max(4095).describe("The chip's number of the line; on a Pi's header N of GPIO N."),
  activeLow: z.boolean().default(false).describe('Whether the low level is on: a switch to ground, a relay board.'),
}
const debounceMs = z.number().min(0).max(10_000).default(0)

const outputSchema = z.strictObject({
  direction: z.literal('out').describe('A switch: a LED, a relay, a pump.'),
  ...common,
  initial: z.boolean().describe('On or off once the node has started. Default: as `safe`.').exactOptional(),
  safe: z.boolean().default(false).describe('On or off while the pins are taken, and after the node has ended.'),
})

const inputSchema = z.strictObject({
  direction: z.literal('in').describe('A contact: a switch, a light barrier.'),
  ...common,
  pull: z.enum(['up', 'down', 'none']).describe('A resistor inside the chip. Default: as it stands.').exactOptional(),
  debounceMs: debounceMs.describe('A change counts once the level has stayed for so long.'),
})

const counterSchema = z.strictObject({
  direction: z.literal('counter').describe('Pulses that are counted: a flow meter, a tachometer.'),
  ...common,
  pull: z.enum(['up', 'down', 'none']).describe('A resistor inside the chip. Default: as it stands.').exactOptional(),
  edge: z.enum(['rising', 'falling', 'both']).default('rising').describe('Which edges are counted.'),
  debounceMs: debounceMs.describe('Edges so soon after one that counted do not count.'),
  windowS: z.number().min(0.05).max(60).default(1).describe('Over how long the frequency is measured.'),
})

const pwmSchema = z.strictObject({
  direction: z.literal('pwm').describe('On for a share of the time: a fan, a lamp.'),
  ...common,
  frequencyHz: z.number().min(0.1).max(1_000_000).default(100).describe('Periods a second.'),
  initial: z.number().min(0).max(100).default(0).describe('Percent once the node has started.'),
  hardware: z.boolean().default(true).describe('Whether the PWM of the chip is used where the pin has one.'),
})

const pinSchema = z.discriminatedUnion('direction', [outputSchema, inputSchema, counterSchema, pwmSchema])

const wired = z.int().min(0).max(4095).describe('The number of the line that it is wired to.')
const wiresSchema = z.strictObject({
  instant: z.boolean().default(false).describe('No bounce and no floating: for tests.'),
  jumpers: z
    .array(z.tuple([wired, wired]))
    .max(64)
    .default([])
    .describe('Pairs of pins that a wire joins.'),
  switches: z
    .array(
      z.strictObject({
        pin: wired,
        everyS: z.number().min(0.01).max(86_400).default(5).describe('Time between its movements.'),
        bounceMs: z.number().min(0).max(100).default(4).describe('How long its contacts bounce.'),
      }),
    )
    .max(64)
    .default([])
    .describe('Switches that move by themselves.'),
  pulses: z
    .array(
      z.strictObject({
        pin: wired,
        frequencyHz: z.number().min(0.01).max(10_000).describe('Pulses a second.'),
      }),
    )
    .max(64)
    .default([])
    .describe('Sources of square waves.'),
})

export const gpioConfigSchema = z.strictObject({
  chip: z
    .string()
    .min(1)
    .max(64)
    .describe("The chip's label, as gpiodetect shows it in brackets. Default: that of this Pi's header.")
    .exactOptional(),
  backend: z
    .enum(['auto', 'sysfs', 'gpiod', 'emulated'])
    .default('auto')
    .describe('How the chip is reached; auto: sysfs where the kernel has it, else the tools of gpiod.'),
  emulated: wiresSchema.describe('What is wired to the pins of the backend emulated.').exactOptional(),
  pins: z
    .record(identifierSchema.max(40), pinSchema)
    .refine((pins) => Object.keys(pins).length > 0, 'must name at least one pin')
    .describe('The pins by the names of their signals.'),
})

export type GpioConfig = z.infer<typeof gpioConfigSchema>
export type PinConfig = z.infer<typeof pinSchema>
export type OutputConfig = z.infer<typeof outputSchema>
export type InputConfig = z.infer<typeof inputSchema>
export type CounterConfig = z.infer<typeof counterSchema>
export type PwmConfig = z.infer<typeof pwmSchema>

const isHeader = ({ chip }: GpioConfig) => chip === undefined || HEADER_LABELS.includes(chip)

/** What the schema can not say. */
export function gpioFindings(config: GpioConfig): Finding[] {
  const findings: Finding[] = []
  if (config.emulated !== undefined && config.backend !== 'emulated') {
    findings.push({ path: ['emulated'], message: 'is for `backend: emulated`' })
  }
  const taken = new Map<number, string>()
  for (const [name, { pin, ...rest }] of Object.entries(config.pins)) {
    const path = ['pins', name, 'pin']
    if (isHeader(config) && pin > LAST_HEADER_PIN) {
      findings.push({
        path,
        message: `the header has GPIO0 to GPIO${LAST_HEADER_PIN}, and pins are numbered as there: not as in /sys/class/gpio, and not by their place; ${pin} belongs to something else`,
      })
    }
    const before = taken.get(pin)
    if (before === undefined) taken.set(pin, name)
    else findings.push({ path, message: `pin ${pin} is pins.${before} already` })
    if ('pull' in rest && rest.pull !== undefined && config.backend === 'sysfs') {
      findings.push({
        path: ['pins', name, 'pull'],
        message: `sysfs can not set it: use \`backend: gpiod\`, or write gpio=${pin}=pu (or =pd) in /boot/firmware/config.txt`,
      })
    }
  }
  return [...findings, ...namesTwice(config)]
}

/** Pins whose further signals would have one name. */
function namesTwice({ pins }: GpioConfig): Finding[] {
  const owners = new Map<string, string>()
  return Object.entries(pins).flatMap(([name, { direction }]): Finding[] =>
    signalNames(name, direction).flatMap((signal): Finding[] => {
      const owner = owners.get(signal)
      owners.set(signal, owner ?? name)
      if (owner === undefined) return []
      return [{ path: ['pins', name], message: `the signal ${signal} is one of pins.${owner} already` }]
    }),
  )
}

/** The signals of a pin, its own first. */
export function signalNames(name: string, direction: PinConfig['direction']): string[] {
  switch (direction) {
    case 'out':
    case 'pwm':
      return [name]
    case 'in':
      return [name, `${name}_edges`, `${name}_since`]
    case 'counter':
      return [name, `${name}_frequency`]
  }
}

/** The lines that the instrument has to itself; the header is one chip, whether its label is given or not. */
export function gpioClaims(config: GpioConfig): Claim[] {
  const header = isHeader(config)
  const chip = header ? 'header' : config.chip
  const kind = config.backend === 'emulated' ? 'gpio-emulated' : 'gpio'
  return Object.entries(config.pins).map(([name, { pin }]) => ({
    key: `${kind}:${chip}:${pin}`,
    what: header ? `the pin GPIO${pin}` : `line ${pin} of ${chip}`,
    path: ['pins', name, 'pin'],
  }))
}
