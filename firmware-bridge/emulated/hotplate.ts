/**
 * An emulated hotplate with a protocol of its own: lines for people and nine bytes for programs.
 *
 * `ID?`, `T?` (`T=24.9 C`), `SP?`, `SP 60.0` (`OK`, or `ERR 2 out of range`), `H?`, `H 1`, `COOL`; `A5 01` as bytes is
 * answered by `5A 01`, the temperature in tenths as a signed word, the setpoint as a word, the state, the checksum, 0D.
 */
import type { Clock } from '@fernlab/shared/primitives/clock'
import { createNoise } from './noise.ts'
import { ThermalBody } from './thermal-body.ts'
import type { WireDevice } from './wire-device.ts'
import { WireServer } from './wire-server.ts'

export interface HotplateOptions {
  readonly name: string
  /** Decides tolerances and noise. */
  readonly seed: string
  readonly clock: Clock
  readonly latencyMs: number
  readonly instant: boolean
}

const MAX_LINE = 200
const LOWEST_CEL = 0
const HIGHEST_CEL = 300
const BINARY = 0xa5

/** 500 W under an aluminium plate of 0.5 kg (450 J/K); a thermistor with 0.02 K of noise, shown in tenths. */
export function createHotplate(options: HotplateOptions): WireDevice {
  const { clock, seed } = options
  const noise = createNoise(seed)
  const offsetK = 0.3 * (2 * noise.uniform() - 1)
  const body = new ThermalBody({
    capacityJPerK: 450,
    lossWPerK: 1.6,
    roomCel: 22,
    nowS: () => clock.monotonic() / 1000,
  })
  let setpointCel = 20
  let on = false
  const control = () => body.heat((celsius) => (on ? Math.min(500, Math.max(0, 40 * (setpointCel - celsius) + 5)) : 0))
  const shownCel = () => Math.round(10 * (body.celsius() + offsetK + 0.02 * noise.normal())) / 10
  const setSetpoint = (text: string) => {
    const value = Number(text)
    if (!/^-?\d+(\.\d+)?$/.test(text)) return 'ERR 1 not a number'
    if (value < LOWEST_CEL || value > HIGHEST_CEL) return 'ERR 2 out of range'
    setpointCel = Math.round(10 * value) / 10
    control()
    return 'OK'
  }
  const turn = (isOn: boolean) => {
    on = isOn
    control()
    return 'OK'
  }
  const line = (text: string): string | undefined => {
    const [word = '', argument = ''] = text.trim().split(/ +/)
    switch (word.toUpperCase()) {
      case 'ID?':
        return `Fernlab HP-500 ${seed}`
      case 'T?':
        return `T=${shownCel().toFixed(1)} C`
      case 'SP?':
        return `SP=${setpointCel.toFixed(1)} C`
      case 'SP':
        return setSetpoint(argument)
      case 'H?':
        return `H=${on ? 1 : 0}`
      case 'H':
        return argument === '0' || argument === '1' ? turn(argument === '1') : 'ERR 1 not 0 or 1'
      case 'COOL':
        setpointCel = 20
        return turn(false)
      default:
        return text.trim() === '' ? undefined : 'ERR 9 unknown command'
    }
  }
  const status = (code: number): Uint8Array => {
    const reply = Buffer.alloc(9)
    reply.writeUInt8(0x5a, 0)
    reply.writeUInt8(code, 1)
    reply.writeInt16BE(Math.round(shownCel() * 10), 2)
    reply.writeUInt16BE(Math.round(setpointCel * 10), 4)
    reply.writeUInt8(on ? 1 : 0, 6)
    reply.writeUInt8(reply.subarray(0, 7).reduce((sum, byte) => sum + byte, 0) & 0xff, 7)
    reply.writeUInt8(0x0d, 8)
    return reply
  }
  return new WireServer<string | number>({
    ...options,
    cutter,
    handle: async (message) => {
      if (typeof message === 'number') return status(message)
      const reply = line(message)
      return reply === undefined ? undefined : Buffer.from(`${reply}\r\n`)
    },
  })
}

/** Lines as texts; the byte after `A5` as a number. */
function cutter(): (bytes: Uint8Array) => (string | number)[] {
  let text = ''
  let binary = false
  return (bytes) => {
    const messages: (string | number)[] = []
    for (const byte of bytes) {
      if (binary) {
        messages.push(byte)
        binary = false
      } else if (byte === BINARY && text === '') binary = true
      else if (byte === 0x0a) {
        messages.push(text)
        text = ''
      } else if (text.length < MAX_LINE) text += String.fromCharCode(byte)
    }
    return messages
  }
}
