/** The emulated Uno, in board time: firmware of ours, and instructions written by hand. */
import { ThermalCircuit, thermalConfig, thermistorOhm } from '@fernlab/firmware-bridge/boards/circuits/thermal'
import { Uno } from '@fernlab/firmware-bridge/boards/uno'
import type { FirmwareImage } from '@fernlab/firmware-bridge/flashing/intel-hex'
import * as assert from 'uvu/assert'
import { banner, hello } from '../../support/boards/hello.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the emulated Uno')

const BANNER = banner()

/** A program of instruction words. */
const program = (...words: number[]): FirmwareImage => {
  const data = new Uint8Array(Uint16Array.from(words).buffer)
  return { parts: [{ address: 0, data }], bytes: data.length, end: data.length }
}
const text = (bytes: Uint8Array) => new TextDecoder('latin1').decode(bytes)
const bytes = (said: string) => new TextEncoder().encode(said)
const near = (got: number, wanted: number, tolerance: number, what: string) =>
  assert.ok(Math.abs(got - wanted) <= tolerance, `${what}: ${got} is not ${wanted} ± ${tolerance}`)

test('runs firmware: it says its name, echoes lines and blinks at 1 Hz', () => {
  const uno = new Uno({ firmware: hello })
  assert.is(text(uno.advance(0.1)), BANNER)
  uno.receive(bytes('a line\r\nv\n'))
  assert.is(text(uno.advance(0.1)), `a line\r\n${BANNER}`)
  const edges: number[] = []
  let before = uno.driven('D13')
  while (uno.timeS < 4.9) {
    uno.advance(0.001)
    if (uno.driven('D13') !== before) edges.push(uno.timeS)
    before = uno.driven('D13')
  }
  assert.is(edges.length, 9)
  for (const [i, edge] of edges.entries()) if (i > 0) near(edge - (edges[i - 1] ?? 0), 0.5, 0.005, 'half a period')
})

test('bytes take their time on the line, in both directions', () => {
  const uno = new Uno({ firmware: hello })
  uno.advance(0.1)
  const line = 'x'.repeat(40)
  uno.receive(bytes(`${line}\n`))
  // 41 bytes there and 42 back at 117647 baud (the chip's nearest to 115200).
  const wire = 10 / (16e6 / 8 / 17)
  assert.is(text(uno.advance(41 * wire - 0.0002)), '')
  assert.is(text(uno.advance(42 * wire - 0.001)).length < 42, true)
  assert.is(uno.advance(0.003).length > 0, true)
})

test('a reset starts firmware anew, after a second without a word to the boot loader', () => {
  const uno = new Uno({ firmware: hello })
  uno.advance(0.1)
  uno.reset()
  assert.is(text(uno.advance(0.99)), '')
  assert.is(text(uno.advance(0.02)), BANNER)
})

test('answers STK500v1 after a reset, and only then', () => {
  const uno = new Uno({ firmware: hello })
  uno.advance(0.1)
  uno.receive(Uint8Array.of(0x30, 0x20))
  assert.equal([...uno.advance(0.1)], [])
  uno.reset()
  uno.receive(Uint8Array.of(0x30, 0x20, 0x75, 0x20, 0x51, 0x20))
  const answered = uno.advance(0.1)
  assert.equal([...answered.subarray(0, 9)], [0x14, 0x10, 0x14, 0x1e, 0x95, 0x0f, 0x10, 0x14, 0x10])
  assert.is(text(answered.subarray(9)), BANNER)
})

test('a boot loader that loses its step answers no more and starts the application', () => {
  const uno = new Uno({ firmware: hello })
  uno.reset()
  uno.receive(Uint8Array.of(0x75, 0x00))
  assert.is(text(uno.advance(0.05)), BANNER)
})

test('a watchdog that nobody feeds resets the board again and again, and pins let go meanwhile', () => {
  // ldi r16, WDCE|WDE; sts WDTCSR, r16; ldi r16, WDE (16 ms); sts WDTCSR, r16; sbi DDRB, 5; sbi PORTB, 5; rjmp self
  const uno = new Uno({ firmware: program(0xe108, 0x9300, 0x60, 0xe008, 0x9300, 0x60, 0x9a25, 0x9a2d, 0xcfff) })
  const before = uno.resets
  uno.advance(1)
  near(uno.resets - before, 1 / 0.016, 1.5, 'resets')
  assert.is(uno.driven('D13'), true)
})

test('a chip without firmware does nothing, for as long as one waits', () => {
  const uno = new Uno()
  assert.equal([...uno.advance(0.2)], [])
  assert.is(uno.driven('D13'), undefined)
})

test('firmware that does not fit is refused', () => {
  const image = { parts: [{ address: 0x7fff, data: new Uint8Array(2) }], bytes: 2, end: 0x8001 }
  assert.throws(() => new Uno({ firmware: image }), /ends at 0x8001, beyond the Uno's 32 KiB/)
})

test('a driven pin heats the block as the heat equations say, and a reset lets it cool', () => {
  const config = { ...thermalConfig('block'), draughtK: 0, noiseV: 0 }
  const circuit = new ThermalCircuit(config, 'block')
  // sbi DDRB, 1; sbi PORTB, 1; rjmp self: D9 is on
  const uno = new Uno({ firmware: program(0x9a21, 0x9a29, 0xcfff), circuit })
  for (const seconds of [0.5, 2, 7.5, 20]) {
    while (uno.timeS < seconds) uno.advance(0.01)
    near(circuit.blockC(uno.timeS), config.ambientC + twoLumps(config, uno.timeS), 0.01, `after ${seconds} s`)
  }
  const hot = circuit.blockC(uno.timeS)
  uno.reset()
  uno.advance(0.9)
  assert.ok(circuit.blockC(uno.timeS) < hot + 1.5)
  const resting = new ThermalCircuit(config, 'rest')
  resting.driven('D9', true, 0)
  near(resting.blockC(600), config.ambientC + config.heaterW / config.blockToAirWPerK, 0.01, 'the end')
})

test('the thermistor shows the block with its lag, and noise of the size that was asked for', () => {
  near(thermistorOhm(25), 10_000, 1e-6, 'at 25 °C')
  near(thermistorOhm(50), 3588, 20, 'at 50 °C, as the makers of such thermistors list it')
  const circuit = new ThermalCircuit({ ...thermalConfig('n'), ambientC: 25, draughtK: 0, noiseV: 0.002 }, 'n')
  const volts = Array.from({ length: 4000 }, (_, i) => circuit.volts('A0', i / 1000) ?? 0)
  const mean = volts.reduce((sum, each) => sum + each, 0) / volts.length
  const deviation = Math.sqrt(volts.reduce((sum, each) => sum + (each - mean) ** 2, 0) / volts.length)
  near(mean, 2.5, 0.0002, 'mean')
  near(deviation, 0.002, 0.0001, 'noise')
  assert.is(circuit.volts('A1', 5), undefined)
})

/** The rise of the block over ambient after a step of the heater's power, from the eigenvalues of the two-lump system. */
function twoLumps(config: ReturnType<typeof thermalConfig>, timeS: number): number {
  const { heaterW, heaterJPerK: cr, blockJPerK: cb, heaterToBlockWPerK: g, blockToAirWPerK: ga } = config
  const trace = -g / cr - (g + ga) / cb
  const determinant = (g * ga) / (cr * cb)
  const root = Math.sqrt(trace * trace - 4 * determinant)
  const [fast, slow] = [(trace - root) / 2, (trace + root) / 2]
  const end = heaterW / ga
  // T(0) = 0 and T'(0) = 0, since the heat is in the resistor first.
  return end * (1 + (slow * Math.exp(fast * timeS) - fast * Math.exp(slow * timeS)) / (fast - slow))
}

test.run()
