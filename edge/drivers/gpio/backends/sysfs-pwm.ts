/**
 * The PWM channels of a Pi's header, through the kernel's sysfs interface ("Using PWMs with the sysfs interface",
 * Documentation/driver-api/pwm.rst). Which pin a PWM is led to, the device tree says: the PWM's first state of pins
 * (`pinctrl-0`) names a group of the GPIO chip's, and that its pins (bindings brcm,bcm2835-gpio and pinctrl-bindings).
 *
 * INVARIANTS: a channel has its period and its duty before it is enabled; one that was exported already is taken over.
 */
import { access, constants, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { gpioError, notPermitted, systemCode } from '../gpio-errors.ts'
import type { PwmLine, PwmOptions } from './backend.ts'
import type { FoundChip } from './find-chip.ts'

export interface SysfsPwmOptions extends PwmOptions {
  /** Where sysfs is mounted. */
  readonly root: string
  readonly clock: Clock
  readonly chip: FoundChip
  readonly line: number
}

/** BCM2835 ARM Peripherals, 6.2 and 9.5: PWM0 and PWM1 are channels 0 and 1, each by alternate functions of these pins. */
const BCM_CHANNELS: Readonly<Record<number, number>> = { 12: 0, 18: 0, 40: 0, 52: 0, 13: 1, 19: 1, 41: 1, 45: 1, 53: 1 }
/** RP1 Peripherals, 3.1.1 (function select): PWM0 channels 0 to 3. */
const RP1_CHANNELS: Readonly<Record<number, number>> = { 12: 0, 13: 1, 14: 2, 15: 3, 18: 2, 19: 3 }
const UDEV_MS = 1000
const UDEV_LOOK_MS = 5
const NS_PER_S = 1e9

/** The PWM that is led to the line; undefined where none is. Rejects with `gpio-not-permitted`, `gpio-pwm-refused`. */
export async function sysfsPwm(options: SysfsPwmOptions): Promise<PwmLine | undefined> {
  const { root, chip, line, frequencyHz, duty, clock } = options
  const channel = (chip.label === 'pinctrl-rp1' ? RP1_CHANNELS : BCM_CHANNELS)[line]
  const pwmChip = channel === undefined ? undefined : await pwmChipAt(root, chip, line)
  if (channel === undefined || pwmChip === undefined) return undefined
  const what = `${pwmChip} channel ${channel}`
  const folder = join(root, 'class/pwm', pwmChip, `pwm${channel}`)
  const periodNs = Math.round(NS_PER_S / frequencyHz)
  const write = async (file: string, value: number) => {
    try {
      await writeFile(join(folder, file), String(value))
    } catch (cause) {
      throw refused(`${what}: ${file} ${value}`, cause)
    }
  }
  const setDuty = (part: number) => write('duty_cycle', Math.round(Math.min(1, Math.max(0, part)) * periodNs))
  await exportChannel(root, pwmChip, channel, clock)
  // A duty longer than the new period would be refused, and so would a period shorter than the old duty.
  await write('duty_cycle', 0).catch(() => {})
  await write('period', periodNs)
  await setDuty(duty)
  await write('enable', 1)
  let isOpen = true
  return {
    how: `hardware: ${what}`,
    write: setDuty,
    close: async (part) => {
      if (!isOpen) return
      isOpen = false
      // It stays enabled: without, the pin would be at a level of the chip's own choice.
      await setDuty(part)
    },
  }
}

/** `pwmchip0`, if it is the one whose pins the line is among. */
async function pwmChipAt(root: string, chip: FoundChip, line: number): Promise<string | undefined> {
  const groups = await groupsWith(join(root, `class/gpio/gpiochip${chip.base}/device/of_node`), line)
  if (groups.length === 0) return undefined
  for (const name of await namesIn(join(root, 'class/pwm'))) {
    const state = await bytesOf(join(root, 'class/pwm', name, 'device/of_node/pinctrl-0'))
    for (let at = 0; at + 4 <= state.length; at += 4) {
      if (groups.includes(state.readUInt32BE(at))) return name
    }
  }
  return undefined
}

/** The handles of the chip's groups of pins that the line is in. */
async function groupsWith(node: string, line: number): Promise<number[]> {
  const groups: number[] = []
  for (const name of await namesIn(node)) {
    const folder = join(node, name)
    const handle = await bytesOf(join(folder, 'phandle'))
    if (handle.length === 4 && (await hasPin(folder, line))) groups.push(handle.readUInt32BE(0))
  }
  return groups
}

async function hasPin(group: string, line: number): Promise<boolean> {
  const numbers = await bytesOf(join(group, 'brcm,pins'))
  for (let at = 0; at + 4 <= numbers.length; at += 4) if (numbers.readUInt32BE(at) === line) return true
  const named = (await bytesOf(join(group, 'pins'))).toString('latin1').split('\0')
  return named.includes(`gpio${line}`)
}

async function exportChannel(root: string, pwmChip: string, channel: number, clock: Clock): Promise<void> {
  const file = join(root, 'class/pwm', pwmChip, 'export')
  try {
    await writeFile(file, String(channel))
  } catch (cause) {
    const code = systemCode(cause)
    if (code === 'EACCES' || code === 'EPERM') throw notPermitted(file, cause)
    // Exported already, by a node that was killed.
    if (code !== 'EBUSY') throw refused(`${pwmChip} channel ${channel}`, cause)
  }
  const path = join(root, 'class/pwm', pwmChip, `pwm${channel}`, 'duty_cycle')
  const endMs = clock.monotonic() + UDEV_MS
  for (;;) {
    try {
      await access(path, constants.R_OK | constants.W_OK)
      return
    } catch (cause) {
      if (clock.monotonic() >= endMs) throw notPermitted(path, cause)
      await clock.sleep(UDEV_LOOK_MS)
    }
  }
}

/** Nothing where there is no such folder, as on a machine without device tree. */
const namesIn = (folder: string): Promise<string[]> => readdir(folder).catch(() => [])
const bytesOf = (file: string): Promise<Buffer> => readFile(file).catch(() => Buffer.alloc(0))

const refused = (what: string, cause: unknown) =>
  gpioError('gpio-pwm-refused', `${what}: the kernel refused (${systemCode(cause) ?? String(cause)})`, cause)
