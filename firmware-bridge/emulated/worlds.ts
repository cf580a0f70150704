/** The emulated benches of one process: circuits, each with the instruments that are wired to it. */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { createBoardDevice } from '../boards/board-device.ts'
import type { BoardThreadData } from '../boards/board-messages.ts'
import { createEspBoard, type EspBoardOptions } from '../boards/esp/esp-board.ts'
import { espChips } from '../boards/esp/esp-chips.ts'
import { createLeonardo, type LeonardoOptions } from '../boards/leonardo/leonardo.ts'
import { createBalance } from './balance.ts'
import type { Circuit } from './circuits/circuit.ts'
import { DiodeCircuit, type DiodeConfig } from './circuits/diode.ts'
import { RcCircuit, type RcConfig } from './circuits/rc.ts'
import { createFirmataDevice } from './firmata/board.ts'
import { createFunctionGenerator } from './function-generator.ts'
import { createHotplate } from './hotplate.ts'
import { createMultimeter } from './multimeter.ts'
import { createNoise } from './noise.ts'
import { createOvenLine } from './oven-line.ts'
import { createPowerSupply } from './power-supply.ts'
import type { WireDevice } from './wire-device.ts'

export interface World {
  readonly name: string
  /** What the instruments share; absent where a board has its circuit to itself. */
  readonly circuit?: Circuit
  /** The instruments' names. */
  readonly devices: readonly string[]
  /** Throws `emulated-device-unknown`. */
  device(name: string): WireDevice
}

export interface Worlds {
  /** The world of that name, made when first asked for: `rc` or `rc-2`, `diode` or `diode-left`, `uno`, `leonardo`, `heat`, `firmata`, `esp32` …. Throws `emulated-world-unknown`. */
  world(name: string): World
}

export interface WorldsOptions {
  readonly clock: Clock
  /** Time that each instrument takes for a message; 1 ms unless given, 0 in instant mode. */
  readonly latencyMs?: number
  /** Instruments answer without taking time: for tests on a clock that stands still. */
  readonly instant?: boolean
  /** Replaces what the name's tolerances would give. */
  readonly rc?: Partial<RcConfig>
  readonly diode?: Partial<DiodeConfig>
  /** What emulated boards have in their flash as they get power, and whether they keep to real time. */
  readonly uno?: Partial<Omit<BoardThreadData, 'seed'>>
  /** What emulated boards with Espressif's chips are like. */
  readonly esp?: Partial<Omit<EspBoardOptions, 'name' | 'chip' | 'clock'>>
  /** What emulated boards with an ATmega32U4 are like. */
  readonly leonardo?: Partial<Omit<LeonardoOptions, 'name' | 'clock'>>
}

const NAME = /^(rc|diode|uno|leonardo|heat|weigh|firmata|esp32-s3|esp32-c3|esp32)(-[a-z0-9-]+)?$/

/** Emulated benches by name; the same name has the same tolerances in every process. */
export function createWorlds(options: WorldsOptions): Worlds {
  const worlds = new Map<string, World>()
  return {
    world: (name) => {
      const kind = NAME.exec(name)?.[1]
      if (kind === undefined) {
        throw new LabError({
          code: 'emulated-world-unknown',
          kind: 'configuration',
          message: `there is no emulated bench ${JSON.stringify(name)}; use rc, diode, uno, leonardo, heat, weigh, firmata, esp32, esp32-s3 or esp32-c3, with a suffix for more of them: rc-2`,
        })
      }
      let world = worlds.get(name)
      if (world === undefined) {
        world = (WORLDS[kind] ?? unoWorld)(name, options)
        worlds.set(name, world)
      }
      return world
    },
  }
}

/** Things that are hot: a plate on a serial line of its own, and an oven on a Modbus line. */
function heatWorld(name: string, options: WorldsOptions): World {
  return assemble(name, undefined, [
    createHotplate(instrument(name, 'hotplate', options)),
    createOvenLine(instrument(name, 'modbus', options)),
  ])
}

/** A balance that says by itself what it weighs. */
function weighWorld(name: string, options: WorldsOptions): World {
  return assemble(name, undefined, [createBalance(instrument(name, 'balance', options))])
}

/** 10 kΩ (±1 %) and 100 µF (selected to ±0.9 %). */
function rcWorld(name: string, options: WorldsOptions): World {
  const tolerance = createNoise(`${name}/parts`)
  const config: RcConfig = {
    resistanceOhm: 10e3 * (1 + 0.01 * (2 * tolerance.uniform() - 1)),
    capacitanceF: 100e-6 * (1 + 0.009 * (2 * tolerance.uniform() - 1)),
    meterOhm: 10e9,
    supplyOhm: 0.02,
    generatorOhm: 50,
    supplySettlingS: 0.003,
    ...options.rc,
  }
  const circuit = new RcCircuit(config, seconds(options.clock))
  const common = (device: string) => ({ ...instrument(name, device, options), circuit })
  return assemble(name, circuit, [
    createPowerSupply(common('psu')),
    createMultimeter({ ...common('dmm'), measures: 'volts' }),
    createFunctionGenerator(common('fgen')),
  ])
}

/** A small-signal silicon diode (values near those of a 1N4148) behind 100 Ω at room temperature. */
function diodeWorld(name: string, options: WorldsOptions): World {
  const tolerance = createNoise(`${name}/parts`)
  const config: DiodeConfig = {
    saturationCurrentA: 2.5e-9 * (1 + 0.2 * (2 * tolerance.uniform() - 1)),
    idealityFactor: 1.75 * (1 + 0.02 * (2 * tolerance.uniform() - 1)),
    temperatureK: 298.15,
    seriesOhm: 0.6,
    resistorOhm: 100,
    burdenOhm: 1,
    supplySettlingS: 0.003,
    ...options.diode,
  }
  const circuit = new DiodeCircuit(config, seconds(options.clock))
  const common = (device: string) => ({ ...instrument(name, device, options), circuit })
  return assemble(name, circuit, [
    createPowerSupply(common('psu')),
    createMultimeter({ ...common('voltmeter'), measures: 'volts' }),
    createMultimeter({ ...common('ammeter'), measures: 'amps' }),
  ])
}

/** An Arduino Uno that switches a heater and measures its block. */
function unoWorld(name: string, { uno }: WorldsOptions): World {
  return assemble(name, undefined, [createBoardDevice('board', { speed: 'real-time', ...uno, seed: name })])
}

/** A board with ConfigurableFirmata, and what is wired to it. */
function firmataWorld(name: string, options: WorldsOptions): World {
  return assemble(name, undefined, [createFirmataDevice(instrument(name, 'board', options))])
}

/** A board with one of Espressif's chips, and nothing wired to it. */
const espWorld =
  (chip: keyof typeof espChips) =>
  (name: string, { clock, instant = false, esp }: WorldsOptions): World =>
    assemble(name, undefined, [createEspBoard({ instant, ...esp, name: 'board', chip: espChips[chip], clock })])

/** A board with an ATmega32U4, and nothing wired to it. */
function leonardoWorld(name: string, { clock, instant = false, leonardo }: WorldsOptions): World {
  return assemble(name, undefined, [createLeonardo({ instant, ...leonardo, name: 'board', clock })])
}

const WORLDS: Readonly<Record<string, (name: string, options: WorldsOptions) => World>> = {
  rc: rcWorld,
  diode: diodeWorld,
  uno: unoWorld,
  leonardo: leonardoWorld,
  heat: heatWorld,
  weigh: weighWorld,
  firmata: firmataWorld,
  esp32: espWorld('esp32'),
  'esp32-s3': espWorld('esp32-s3'),
  'esp32-c3': espWorld('esp32-c3'),
}

const seconds = (clock: Clock) => () => clock.monotonic() / 1000

function instrument(world: string, name: string, { clock, latencyMs, instant = false }: WorldsOptions) {
  return { name, seed: `${world}-${name}`, clock, instant, latencyMs: latencyMs ?? (instant ? 0 : 1) }
}

function assemble(name: string, circuit: Circuit | undefined, devices: readonly WireDevice[]): World {
  return {
    name,
    ...(circuit === undefined ? {} : { circuit }),
    devices: devices.map((device) => device.name),
    device: (wanted) => {
      const device = devices.find((candidate) => candidate.name === wanted)
      if (device === undefined) {
        throw new LabError({
          code: 'emulated-device-unknown',
          kind: 'configuration',
          message: `the emulated bench ${name} has no ${JSON.stringify(wanted)}; it has ${devices.map((each) => each.name).join(', ')}`,
        })
      }
      return device
    },
  }
}
