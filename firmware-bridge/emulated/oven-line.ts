/**
 * An oven on a Modbus line: unit 1 is its controller, unit 2 the meter of its power.
 *
 * | unit | table | address | holds |
 * |---|---|---|---|
 * | 1 | holding | 0 | setpoint, tenths of a degree, int16, 0 to 2500 |
 * | 1 | holding | 1, 2 | proportional gain, W/K, float32, high word first |
 * | 1 | input | 0 | temperature, tenths of a degree, int16 |
 * | 1 | input | 1 | state: bit 0 heats, bit 1 at the setpoint within 1 K |
 * | 1 | coil | 0 | heater |
 * | 1 | discrete | 0 | door closed |
 * | 2 | input | 0, 1 | power in W, float32, low word first |
 * | 2 | input | 2, 3 | energy in Ws, uint32, high word first |
 * | 2 | input | 4 | mains, tenths of a volt, uint16 |
 */

import type { HotplateOptions } from './hotplate.ts'
import { createModbusDevice, type Register, type UnitTables } from './modbus-device.ts'
import { createNoise } from './noise.ts'
import { ThermalBody } from './thermal-body.ts'
import type { WireDevice } from './wire-device.ts'

const MOST_W = 800
const HIGHEST_TENTHS = 2500

/** 800 W into 900 J/K; a Pt100 with 0.05 K of noise; mains with 0.4 V. */
export function createOvenLine(options: HotplateOptions): WireDevice {
  const { clock, seed } = options
  const nowS = () => clock.monotonic() / 1000
  const noise = createNoise(seed)
  const body = new ThermalBody({ capacityJPerK: 900, lossWPerK: 2.5, roomCel: 22, nowS })
  let setpointTenths = 200
  let gain = Buffer.alloc(4)
  gain.writeFloatBE(25)
  let on = false
  let energyJ = 0
  let countedS = nowS()
  const control = () => {
    const wPerK = gain.readFloatBE(0)
    body.heat((celsius) => (on ? Math.min(MOST_W, Math.max(0, wPerK * (setpointTenths / 10 - celsius))) : 0))
  }
  const watts = () => {
    const now = nowS()
    const power = body.watts()
    energyJ += power * (now - countedS)
    countedS = now
    return power
  }
  const celsius = () => body.celsius() + 0.05 * noise.normal()
  const gainWord = (at: 0 | 2): Register => ({
    get: () => gain.readUInt16BE(at),
    set: (word) => {
      const next = Buffer.from(gain)
      next.writeUInt16BE(word, at)
      gain = next
      control()
      return true
    },
  })
  const controller: UnitTables = {
    holding: {
      0: {
        get: () => setpointTenths,
        set: (tenths) => {
          if (tenths > HIGHEST_TENTHS) return false
          setpointTenths = tenths
          control()
          return true
        },
      },
      1: gainWord(0),
      2: gainWord(2),
    },
    input: {
      0: { get: () => Math.round(10 * celsius()) & 0xffff },
      1: { get: () => (on ? 1 : 0) | (Math.abs(body.celsius() - setpointTenths / 10) < 1 ? 2 : 0) },
    },
    coil: {
      0: {
        get: () => (on ? 1 : 0),
        set: (value) => {
          watts()
          on = value === 1
          control()
          return true
        },
      },
    },
    discrete: { 0: { get: () => 1 } },
  }
  // The first register of two latches both, or they would be of different moments.
  const power = Buffer.alloc(4)
  let latchedJ = 0
  const meter: UnitTables = {
    holding: {},
    input: {
      0: {
        get: () => {
          power.writeFloatBE(watts())
          return power.readUInt16BE(2)
        },
      },
      1: { get: () => power.readUInt16BE(0) },
      2: {
        get: () => {
          watts()
          latchedJ = Math.round(energyJ)
          return (latchedJ >>> 16) & 0xffff
        },
      },
      3: { get: () => latchedJ & 0xffff },
      4: { get: () => Math.round(10 * (230 + 0.4 * noise.normal())) },
    },
    coil: {},
    discrete: {},
  }
  return createModbusDevice({ ...options, units: { 1: controller, 2: meter } })
}
