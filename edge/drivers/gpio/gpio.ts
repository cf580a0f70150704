/** The driver `gpio`: the pins of a Pi's header, or of another chip of the kernel's. */
import { createGpioHeader, type GpioHeader } from '@fernlab/firmware-bridge/emulated/gpio-header'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Driver } from '../driver.ts'
import { driverOf } from '../driver-of.ts'
import { autoBackend } from './backends/auto.ts'
import type { Backend } from './backends/backend.ts'
import { emulatedBackend } from './backends/emulated.ts'
import { gpiodBackend } from './backends/gpiod.ts'
import { loadOnoff } from './backends/load-onoff.ts'
import { sysfsBackend } from './backends/sysfs.ts'
import { type GpioConfig, gpioClaims, gpioConfigSchema, gpioFindings, HEADER_LABELS } from './gpio-config.ts'
import { GpioInstrument } from './gpio-instrument.ts'

export interface GpioDriverOptions {
  /** Where the kernel's sysfs is; for tests. */
  readonly sysfs?: string
}

interface Emulated {
  readonly header: GpioHeader
  readonly taken: Set<number>
}

/** The driver for node.yaml's `driver: gpio`. Instruments on one emulated chip share it, with what is wired to it. */
export function createGpioDriver({ sysfs = '/sys' }: GpioDriverOptions = {}): Driver {
  const emulated = new Map<string, Emulated>()
  const emulatedChip = (config: GpioConfig, clock: Clock): Backend => {
    const { jumpers = [], switches = [], pulses = [], instant = false } = config.emulated ?? {}
    const chip = config.chip ?? 'pinctrl-bcm2711'
    let shared = emulated.get(chip)
    if (shared === undefined) {
      shared = { header: createGpioHeader({ clock, instant }), taken: new Set() }
      emulated.set(chip, shared)
    }
    shared.header.wire({ jumpers, switches, pulses })
    return emulatedBackend({ ...shared, chip })
  }
  const backendOf = (config: GpioConfig, clock: Clock): Backend => {
    const bySysfs = sysfsBackend({ root: sysfs, clock, loadOnoff })
    const byTools = gpiodBackend({ clock })
    switch (config.backend) {
      case 'auto':
        return autoBackend([bySysfs, byTools])
      case 'sysfs':
        return bySysfs
      case 'gpiod':
        return byTools
      case 'emulated':
        return emulatedChip(config, clock)
    }
  }
  return driverOf({
    kind: 'gpio',
    schema: gpioConfigSchema,
    findings: gpioFindings,
    claims: gpioClaims,
    create: async (config, { name, clock, log }) => {
      const backend = backendOf(config, clock)
      const labels = config.chip === undefined ? HEADER_LABELS : [config.chip]
      const wantsPull = Object.values(config.pins).some((pin) => 'pull' in pin && pin.pull !== undefined)
      return new GpioInstrument({
        name,
        config,
        clock,
        log,
        openChip: (onLost, signal) => backend.open({ labels, wantsPull, onLost }, signal),
      })
    },
  })
}
