/** The machine itself: what it is, how warm, and whether its supply holds. */
import { type Finding, told } from './find.ts'
import type { Root } from './root.ts'

export interface MachineFacts {
  /** `Raspberry Pi 4 Model B Rev 1.4`; undefined where there is no device tree. */
  readonly model?: string
  readonly system: string
  readonly kernel: string
  readonly bits: 32 | 64
  readonly celsius?: number
  /** A Pi's word of what its firmware saw of supply and heat: bits 0 to 3 now, 16 to 19 since the start. */
  readonly throttled?: number
  /** From the kernel's own watch over a Pi's supply. */
  readonly underVoltage?: boolean
}

/** What a machine says of itself; `arch` as in `process.arch`. */
export async function readMachine(root: Root, arch: string): Promise<MachineFacts> {
  const [model, release, kernel = 'unknown', millidegrees, throttled] = await Promise.all([
    root.text('/proc/device-tree/model'),
    root.text('/etc/os-release'),
    root.text('/proc/sys/kernel/osrelease'),
    root.text('/sys/class/thermal/thermal_zone0/temp'),
    readThrottled(root),
  ])
  const underVoltage = await readUnderVoltage(root)
  return {
    ...(model === undefined ? {} : { model }),
    system: /^PRETTY_NAME="?([^"\n]*)/m.exec(release ?? '')?.[1] ?? 'unknown system',
    kernel,
    bits: arch === 'arm' || arch === 'ia32' ? 32 : 64,
    ...(millidegrees === undefined ? {} : { celsius: Number(millidegrees) / 1000 }),
    ...(throttled === undefined ? {} : { throttled: Number.parseInt(throttled, 16) }),
    ...(underVoltage === undefined ? {} : { underVoltage }),
  }
}

/** Where the firmware's driver stands depends on the model: `soc/soc:firmware`, on others with an address. */
async function readThrottled(root: Root): Promise<string | undefined> {
  const platform = '/sys/devices/platform'
  for (const soc of (await root.list(platform)).filter((name) => name.startsWith('soc'))) {
    for (const name of await root.list(`${platform}/${soc}`)) {
      const text = name.endsWith('firmware') ? await root.text(`${platform}/${soc}/${name}/get_throttled`) : undefined
      if (text !== undefined) return text
    }
  }
  return undefined
}

async function readUnderVoltage(root: Root): Promise<boolean | undefined> {
  for (const name of await root.list('/sys/class/hwmon')) {
    if ((await root.text(`/sys/class/hwmon/${name}/name`)) !== 'rpi_volt') continue
    const alarm = await root.text(`/sys/class/hwmon/${name}/in0_lcrit_alarm`)
    if (alarm !== undefined) return alarm === '1'
  }
  return undefined
}

const group = 'Machine'
/** A Pi slows down from 80 °C on (Raspberry Pi documentation, "Frequency management and thermal control"). */
const warmCelsius = 75
const hotCelsius = 80
const bit = (word: number, n: number): boolean => (word & (2 ** n)) !== 0

/** Whether the machine will do, and what its supply and its heat ask for. */
export function machineFindings({ model, system, kernel, bits, celsius, ...power }: MachineFacts): Finding[] {
  const facts = [...(model === undefined ? [] : [model]), system, `kernel ${kernel}`, `${bits} bit`]
  const needs64 = 'a node needs a 64-bit system, on a Pi the 64-bit Raspberry Pi OS'
  return [
    {
      group,
      what: 'system',
      verdict: bits === 64 ? 'ok' : 'broken',
      ...told(facts, bits === 64 ? undefined : needs64),
    },
    ...(celsius === undefined ? [] : [warmth(celsius)]),
    ...supply(power),
  ]
}

function warmth(celsius: number): Finding {
  const facts = [`${celsius.toFixed(1)} °C`]
  if (celsius < warmCelsius) return { group, what: 'temperature', verdict: 'ok', ...told(facts) }
  const trouble =
    celsius < hotCelsius
      ? 'close to where a Pi slows down; give it air or a cooler'
      : 'a Pi slows down from 80 °C on; give it air or a cooler'
  return { group, what: 'temperature', verdict: 'look', ...told(facts, trouble) }
}

function supply({ throttled, underVoltage }: Pick<MachineFacts, 'throttled' | 'underVoltage'>): Finding[] {
  if (throttled === undefined && underVoltage === undefined) return []
  const what = 'supply'
  const cure = 'use the supply made for this Pi and a short, thick cable; instruments get a supply of their own'
  if (underVoltage === true || bit(throttled ?? 0, 0))
    return [{ group, what, verdict: 'broken', ...told(['the voltage is too low'], cure) }]
  if (bit(throttled ?? 0, 16))
    return [{ group, what, verdict: 'look', ...told(['the voltage was too low since the start'], cure) }]
  if (bit(throttled ?? 0, 18) || bit(throttled ?? 0, 19))
    return [{ group, what, verdict: 'look', detail: 'the Pi was slowed down for heat since the start' }]
  return [{ group, what, verdict: 'ok', detail: 'the voltage held since the start' }]
}
