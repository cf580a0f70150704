import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { crc32 } from 'node:zlib'
import { type BoardCircuit, noCircuit } from '@fernlab/firmware-bridge/boards/circuits/board-circuit'
import { type FirmwareImage, readIntelHex } from '@fernlab/firmware-bridge/flashing/intel-hex'
import type { Transport } from '@fernlab/firmware-bridge/transports/transport'
import * as assert from 'uvu/assert'
import { type OnUno, withUno } from '../../support/boards/with-uno.ts'
import { noisy } from '../../support/firmware/noisy.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the C library on an emulated Arduino Uno, at 1 Mbit/s', { timeoutMs: 60_000 })
const library = `${root}firmware-bridge/firmware/fernlab-link`
const run = promisify(execFile)
let folder = ''
let firmware: FirmwareImage

test.before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-uno-'))
  const [elf, hex] = [join(folder, 'main.elf'), join(folder, 'main.hex')]
  const sources = [`${library}/examples/uno-adc-pwm/main.c`, `${library}/src/fernlab_link.c`]
  const flags = ['-std=c99', '-Os', '-mmcu=atmega328p', '-DF_CPU=16000000UL', `-I${library}/src`]
  await run('avr-gcc', [...flags, ...sources, '-o', elf])
  await run('avr-objcopy', ['-O', 'ihex', elf, hex])
  firmware = readIntelHex(await readFile(hex, 'utf8'), 'main.hex')
})
test.after(() => rm(folder, { recursive: true, force: true }))

/** Constant voltages at the four inputs. */
const circuit: BoardCircuit = { ...noCircuit, volts: (pin) => 0.5 + Number(pin.slice(1)) }
interface Way {
  readonly wire?: (transport: Transport) => Transport
  readonly stepMs?: number
}
const onUno = (work: (up: OnUno) => Promise<void>, { stepMs = 0.5, ...way }: Way = {}) =>
  withUno({ firmware, circuit, bytesPerS: 100_000, stepMs, ...way }, work)

const volts = [0.5, 1.5, 2.5, 3.5]
/** One step of the converter. */
const STEP_V = 5 / 1024

test('introduces itself, with a hash that is that of the flashed file, and does what it is told', () =>
  onUno(async ({ uno, link, signal, signals }) => {
    const said = await link.connect(signal)
    const image = new Uint8Array(firmware.end)
    for (const { address, data } of firmware.parts) image.set(data, address)
    assert.equal(said.firmware, {
      name: 'uno-adc-pwm',
      version: '1.0.0',
      hash: crc32(image).toString(16).padStart(8, '0'),
    })
    const { values } = await link.read(signals.slice(0, 4), signal)
    for (const [i, value] of values.entries()) assert.ok(Math.abs(value - (volts[i] ?? 0)) <= STEP_V, `${value}`)
    const lamp = signals.find(({ name }) => name === 'lamp')
    assert.ok(lamp)
    await link.set([[lamp, true]], signal)
    assert.is(uno.driven('D13'), true)
    await link.set([[lamp, false]], signal)
    assert.is(uno.driven('D13'), false)
  }))

test('sends nothing but frames, wherever in the main loop the last byte of one leaves', () =>
  onUno(
    async ({ link, signal }) => {
      for (let asked = 0; asked < 1000; asked++) await link.isThere(signal)
      assert.equal([link.health.badHere, link.health.badThere], [0, 0])
    },
    // No multiple of anything on the board, so that it is asked at another point of its main loop each time.
    { stepMs: 0.0503 },
  ))

test('streams four inputs a thousand times a second for 5 s: none lost, each at its time', () =>
  onUno(async ({ link, clock, signal, signals }) => {
    const stream = await link.stream(signals.slice(0, 4), 1000, signal)
    let count = 0
    let last: number | undefined
    while (count < 5000) {
      const { timeMs, columns } = await stream.next(signal)
      for (const [i, time] of timeMs.entries()) {
        if (last !== undefined) assert.ok(Math.abs(time - last - 1) < 0.001, `${time - last}`)
        last = time
        for (const [c, column] of columns.entries()) {
          assert.ok(Math.abs((column[i] ?? 0) - (volts[c] ?? 0)) <= STEP_V)
        }
      }
      count += timeMs.length
    }
    assert.is(stream.lost, 0)
    assert.ok(Math.abs(clock.monotonic() - (last ?? 0)) < 25, 'samples come within 25 ms')
  }))

test('with 1 % of all bytes wrong in both directions no value is', () =>
  onUno(
    async ({ link, clock, signal, signals }) => {
      const power = signals.find(({ name }) => name === 'power')
      assert.ok(power)
      const stream = await link.stream(signals.slice(0, 4), 1000, signal)
      const until = clock.monotonic() + 5000
      let [samples, rounds] = [0, 0]
      const follow = async () => {
        while (clock.monotonic() < until) {
          const { timeMs, columns } = await stream.next(signal)
          samples += timeMs.length
          for (const [c, column] of columns.entries()) {
            for (const value of column) assert.ok(Math.abs(value - (volts[c] ?? 0)) <= STEP_V, `${value}`)
          }
        }
      }
      const setAndRead = async () => {
        while (clock.monotonic() < until) {
          await link.set([[power, rounds % 101]], signal)
          assert.equal((await link.read([power], signal)).values, [rounds % 101])
          rounds++
        }
      }
      await Promise.all([follow(), setAndRead()])
      assert.ok(samples > 1000 && rounds > 20, `${samples} samples, ${rounds} rounds`)
      process.stdout.write(`1 % wrong: ${samples} of 5000 samples, ${Math.round(rounds / 5)} sets and reads a second\n`)
    },
    { wire: (transport) => noisy(transport, 100, 3) },
  ))

test.run()
