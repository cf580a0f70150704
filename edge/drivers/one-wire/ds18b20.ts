/**
 * What a DS18B20 says: Maxim datasheet 19-7487, rev. 6. Temperature and its format: figure 4, table 1; scratchpad and
 * configuration: figures 9 and 10, table 2.
 */
import { LabError } from '@fernlab/shared/primitives/lab-error'

export interface Ds18b20Reading {
  readonly cel: number
  /** 9 to 12. */
  readonly bits: number
  /**
   * Whether it is 85 °C with nothing to show that it was measured: the value that the scratchpad holds after power-on.
   * Byte 6 is 0x0c then; a conversion leaves 16 less the sixteenths of a degree there, which is 0x10 at a true 85 °C.
   */
  readonly isPowerOnValue: boolean
}

const POWER_ON_WORD = 0x0550
const CONVERTED_BYTE_6 = 0x10
/** How far, and for how long, a reading may be from the one before for an 85 °C to be believed by its company. */
const NEIGHBOUR = { cel: 1, seconds: 10 }

/** The scratchpad in the text of `w1_slave`; throws for a wrong checksum, a short circuit, and what makes no sense. */
export function parseSlave(id: string, text: string): Ds18b20Reading {
  const [, hexBytes, verdict] = /^((?:[0-9a-f]{2} ){9}): crc=[0-9a-f]{2} (YES|NO)$/m.exec(text) ?? []
  if (hexBytes === undefined)
    throw refused(id, 'one-wire-garbled', `the kernel says ${JSON.stringify(text.slice(0, 80))}`)
  const bytes = hexBytes
    .trim()
    .split(' ')
    .map((byte) => Number.parseInt(byte, 16))
  if (verdict === 'NO') {
    throw refused(id, 'one-wire-checksum-wrong', 'the checksum of its answer is wrong: check for long or loose wires')
  }
  if (bytes.every((byte) => byte === 0)) {
    throw refused(id, 'one-wire-shorted', 'its answer is nothing but zeros: the data line is connected with ground')
  }
  const configuration = bytes[4] ?? 0
  if ((configuration & 0x9f) !== 0x1f) throw refused(id, 'one-wire-garbled', 'its answer is not that of a DS18B20')
  const word = ((bytes[1] ?? 0) << 8) | (bytes[0] ?? 0)
  const bits = 9 + (configuration >> 5)
  // Bits that the resolution leaves out are not defined.
  const counts = ((word << 16) >> 16) & ~((1 << (12 - bits)) - 1)
  return { cel: counts / 16, bits, isPowerOnValue: word === POWER_ON_WORD && bytes[6] !== CONVERTED_BYTE_6 }
}

export interface Accepted {
  readonly cel: number
  /** On a clock that never goes back. */
  readonly ms: number
}

/**
 * Throws `one-wire-power-on-value` for an 85 °C that is what a sensor holds from power-on to its first conversion. Copies of
 * the chip may not say so in byte 6: theirs are believed after a reading within 1 °C of it in the last 10 s, which is no
 * more wrong than that, whatever it is.
 */
export function refusePowerOnValue(id: string, read: Ds18b20Reading, last: Accepted | undefined, nowMs: number): void {
  if (!read.isPowerOnValue) return
  const isNear =
    last !== undefined && Math.abs(last.cel - read.cel) <= NEIGHBOUR.cel && nowMs - last.ms <= NEIGHBOUR.seconds * 1000
  if (isNear) return
  throw refused(
    id,
    'one-wire-power-on-value',
    'it says 85 °C, which is what it holds after power-on, before it has measured: it lost its power during the conversion; check its supply and the resistor of 4.7 kOhm, and with two wires use three',
  )
}

function refused(id: string, code: string, why: string): LabError {
  return new LabError({
    code,
    kind: 'instrument',
    retry: 'now',
    message: `${id}: ${why}`,
    studentMessage: 'A thermometer gave no reading that can be trusted; it was thrown away.',
    details: { sensor: id },
  })
}
