/**
 * Emulated boards by name: I2C buses with a chip of each kind that Fernlab knows, wired together: channel 0 of the PWM
 * heats the thermometers, through the meter of current; the DAC is at the first input of the ADC; of the port expander
 * A0 is connected with B0.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { createNoise } from '../noise.ts'
import { emulateAds1115 } from './ads1115.ts'
import { emulateBme280 } from './bme280.ts'
import type { ChipOptions } from './chip.ts'
import { EmulatedWires } from './emulated-adapter.ts'
import { createHeater } from './heater.ts'
import { emulateIna219 } from './ina219.ts'
import { emulateMcp4725 } from './mcp4725.ts'
import { emulateMcp23017 } from './mcp23017.ts'
import { emulatePca9685 } from './pca9685.ts'
import { createRoom } from './room.ts'
import { emulateSht31 } from './sht31.ts'
import { emulateLm75, emulateTmp102, emulateTmp105 } from './thermometers.ts'

export interface BoardOptions {
  readonly clock: Clock
  readonly instant?: boolean
}

const SUPPLY_V = 5
const HEATER_OHM = 10
const DAC_SUPPLY_V = 4.096
const PIN_A0 = 8
const PIN_B0 = 0

/** The board of that name; the same name has the same tolerances in every process. */
export function createBoard(name: string, { clock, instant = false }: BoardOptions): EmulatedWires {
  const wires = new EmulatedWires({ clock, instant })
  const nowS = () => clock.monotonic() / 1000
  const made = (what: number | string): ChipOptions => ({ nowS, noise: createNoise(`${name}/${what}`), instant })

  const room = createRoom(made('room'))
  const pwm = emulatePca9685({ onChange: () => warmerCel() })
  const watts = () => (pwm.duty(0) * SUPPLY_V ** 2) / HEATER_OHM
  const warmerCel = createHeater({ ...made('heater'), watts })
  const block = { temperatureCel: () => room.temperatureCel() + warmerCel() }
  const dac = emulateMcp4725({ ...made(0x60), supplyV: DAC_SUPPLY_V })
  const pot = createNoise(`${name}/pot`).uniform()

  wires.attach(
    0x20,
    emulateMcp23017({ ...made(0x20), outside: (bit, driven) => (bit === PIN_B0 ? driven(PIN_A0) : undefined) }),
  )
  wires.attach(
    0x40,
    emulateIna219({
      ...made(0x40),
      shuntOhm: 0.1,
      amps: () => (pwm.duty(0) * SUPPLY_V) / HEATER_OHM,
      volts: () => SUPPLY_V,
    }),
  )
  wires.attach(0x43, pwm)
  wires.attach(0x44, emulateSht31({ ...made(0x44), ...room }))
  wires.attach(0x48, emulateTmp102({ ...made(0x48), ...block }))
  wires.attach(0x49, emulateTmp105({ ...made(0x49), ...block }))
  wires.attach(0x4a, emulateLm75({ ...made(0x4a), ...block }))
  const volts = dac.outputVolts
  wires.attach(0x4b, emulateAds1115({ ...made(0x4b), volts: () => [volts(), volts() / 2, 3.3 * pot, 0] }))
  wires.attach(0x60, dac)
  wires.attach(0x76, emulateBme280({ ...made(0x76), ...room }))
  return wires
}
