import type { BoardAction, BoardDescription, BoardSignal } from '@fernlab/firmware-bridge/link/description'
import { FirmwareLink } from '@fernlab/firmware-bridge/link/firmware-link'
import { encodeFrame, type Frame, FrameReader } from '@fernlab/firmware-bridge/link/frames'
import { openTcp } from '@fernlab/firmware-bridge/transports/tcp'
import type { Transport } from '@fernlab/firmware-bridge/transports/transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { type HostBoard, hostPrograms } from '../../support/firmware/host-board.ts'
import { noisy } from '../../support/firmware/noisy.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the firmware link, with the C library at the far end', { timeoutMs: 30_000 })
const programs = hostPrograms()
let program = ''

test.before(async () => {
  program = await programs.compile('board')
})
test.after(() => programs.remove())

interface Up {
  readonly board: HostBoard
  readonly link: FirmwareLink
  readonly description: BoardDescription
  signalOf(name: string): BoardSignal
  actionOf(name: string): BoardAction
}

const open = (board: HostBoard, signal: AbortSignal) =>
  openTcp({ kind: 'tcp', host: '127.0.0.1', port: board.port }, signal)

async function withLink(
  signal: AbortSignal,
  work: (up: Up) => Promise<void>,
  how: { readonly wire?: (transport: Transport) => Transport; readonly program?: string } = {},
): Promise<void> {
  const board = await programs.start(how.program ?? program)
  const transport = await open(board, signal)
  const link = new FirmwareLink({ board: 'bench', transport: how.wire?.(transport) ?? transport, clock: systemClock })
  try {
    await link.connect(signal)
    const description = await link.describe(signal)
    const named = <T extends { name: string }>(all: readonly T[], name: string): T => {
      const found = all.find((each) => each.name === name)
      if (found === undefined) throw new Error(`there is no ${name}`)
      return found
    }
    await work({
      board,
      link,
      description,
      signalOf: (name) => named(description.signals, name),
      actionOf: (name) => named(description.actions, name),
    })
  } finally {
    await link.close()
    await board.stop()
  }
}

const until = (link: FirmwareLink) =>
  new Promise<string>((resolve) => link.onEnd((reason) => resolve(reason?.message ?? '')))

test('is told all that the board can do, and by which firmware', ({ signal }) =>
  withLink(signal, async ({ description, signalOf, actionOf }) => {
    assert.equal(description.firmware, { name: 'bench', version: '1.2.0', hash: 'fe41ab00' })
    assert.is(description.signals.length, 10)
    assert.equal(signalOf('power'), {
      index: 5,
      name: 'power',
      unit: '%',
      type: 'u8',
      step: 1,
      low: 0,
      high: 100,
      access: 'read-set',
      digits: 0,
      shortestUs: 10_000,
    })
    assert.equal(signalOf('trim').low, -1)
    assert.equal(
      actionOf('add').arguments.map(({ name, unit, type, low, high }) => [name, unit, type, low, high]),
      [
        ['amount', '1', 'i32', -1000, 1000],
        ['volts', 'V', 'f32', 0, 1],
      ],
    )
  }))

test('reads what it set, in the type of each, and calls with arguments', ({ signal }) =>
  withLink(signal, async ({ link, signalOf, actionOf }) => {
    const names = ['level', 'power', 'lamp', 'count'].map(signalOf)
    const [level, power, lamp, count] = names as [BoardSignal, BoardSignal, BoardSignal, BoardSignal]
    await link.set(
      [
        [level, -2.5],
        [power, 40],
        [lamp, true],
        [count, -70_000],
      ],
      signal,
    )
    const before = performance.now()
    const { values, timesMs } = await link.read(names, signal)
    assert.equal(values, [-2.5, 40, 1, -70_000])
    assert.is(timesMs.length, 4)
    assert.ok(timesMs.every((timeMs) => timeMs >= before && timeMs <= performance.now()))
    await link.call(actionOf('add'), [5, 0.25], signal)
    assert.equal((await link.read([level, count], signal)).values, [-2.25, -69_995])
  }))

test('the firmware refuses by itself what is outside of its limits, and sets none of those that came with it', ({
  signal,
}) =>
  withLink(signal, async ({ link, signalOf, actionOf }) => {
    const refused = link.set(
      [
        [signalOf('power'), 50],
        [signalOf('level'), 10.5],
      ],
      signal,
    )
    assert.is((await rejection(refused)).code, 'board-limits')
    assert.is((await rejection(link.call(actionOf('add'), [1001, 0], signal))).code, 'board-limits')
    assert.is((await rejection(link.set([[signalOf('a'), 1]], signal))).code, 'board-unknown')
    const own = await rejection(link.call(actionOf('jam'), [], signal))
    assert.is(own.code, 'board-refused')
    assert.is(own.details.status, 200)
    assert.equal((await link.read([signalOf('power'), signalOf('sets')], signal)).values, [0, 0])
  }))

test('streams four signals a thousand times a second, none lost, at even times', ({ signal }) =>
  withLink(signal, async ({ link, description }) => {
    const stream = await link.stream(description.signals.slice(0, 4), 1000, signal)
    let count = 0
    let last: number | undefined
    while (count < 2000) {
      const { timeMs, columns } = await stream.next(signal)
      for (const [i, time] of timeMs.entries()) {
        assert.is(Math.round((columns[0]?.[i] ?? 0) * 1000), count + i)
        if (last !== undefined) assert.ok(Math.abs(time - last - 1) < 0.001, `${time - last}`)
        last = time
      }
      count += timeMs.length
    }
    assert.is(stream.lost, 0)
    assert.is((await rejection(link.stream(description.signals.slice(0, 1), 1000, signal))).code, 'board-stream-taken')
    assert.equal((await link.read(description.signals.slice(4, 5), signal)).values, [0])
    await stream.close()
    assert.is((await rejection(stream.next(signal))).code, 'board-stream-ended')
    await (await link.stream(description.signals.slice(0, 1), 1000, signal)).close()
  }))

test('a stream faster than a signal allows is refused', ({ signal }) =>
  withLink(signal, async ({ link, signalOf }) => {
    assert.is((await rejection(link.stream([signalOf('power')], 1000, signal))).code, 'board-limits')
    const stream = await link.stream([signalOf('power')], 10_000, signal)
    assert.is((await stream.next(signal)).columns[0]?.[0], 0)
  }))

test('a reader that does not keep up is waited for: samples are left out and counted, those that come are true', ({
  signal,
}) =>
  withLink(signal, async ({ link, description }) => {
    const signals = description.signals.slice(0, 1)
    const stream = await link.stream(signals, 200, signal)
    await stream.next(signal)
    await systemClock.sleep(4000, signal)
    const { timeMs, columns } = await stream.next(signal)
    // 200 frames are as much as it may be ahead; a frame has at most 37 samples of two bytes.
    assert.ok(timeMs.length <= 200 * 40, `${timeMs.length}`)
    const firstMs = (timeMs[0] ?? 0) - (columns[0]?.[0] ?? 0) * 200
    let later: typeof timeMs = timeMs
    // A sample or two may be left out before the reader falls behind, where the machine is busy.
    while (stream.lost <= 1000) {
      const next = await stream.next(signal)
      later = next.timeMs
      for (const [i, time] of later.entries()) {
        const number = Math.round((next.columns[0]?.[i] ?? 0) * 1000)
        const due = Math.round((time - firstMs) / 0.2)
        const off = ((due - number) << 16) >> 16
        // What was learnt of the board's clock is steered in at 500 ppm at most; a lost frame would be 37 samples.
        const steered = ((time - firstMs) * 500e-6) / 0.2
        assert.ok(Math.abs(off) <= 1 + steered, `sample ${number} at ${due}`)
      }
    }
  }))

test('with 1 % of all bytes wrong in both directions no value is, and what is set is set once', ({ signal }) =>
  withLink(
    signal,
    async ({ link, description, signalOf }) => {
      const stream = await link.stream(description.signals.slice(0, 4), 1000, signal)
      let samples = 0
      let reads = 0
      const began = performance.now()
      const follow = async () => {
        while (performance.now() - began < 5000) {
          const { columns, timeMs } = await stream.next(signal)
          for (let i = 0; i < timeMs.length; i++) {
            const [a = 0, b = 0, c = 0, d = 0] = columns.map((column) => Math.round((column[i] ?? 0) * 1000))
            assert.equal([b, c, d], [(a * 3) & 0xffff, ~a & 0xffff, ((a * 7) << 16) >> 16])
          }
          samples += timeMs.length
        }
      }
      const setAndRead = async () => {
        while (performance.now() - began < 5000) {
          const level = Math.fround(Math.sin(reads))
          await link.set([[signalOf('level'), level]], signal)
          reads++
          assert.equal((await link.read([signalOf('level'), signalOf('sets')], signal)).values, [level, reads])
        }
      }
      await Promise.all([follow(), setAndRead()])
      assert.ok(samples > 1000 && reads > 20, `${samples} samples, ${reads} rounds of set and read`)
      // One is due each millisecond; the last that came may be some frames old.
      const due = performance.now() - began
      const counted = samples + stream.lost
      assert.ok(counted <= due + 100 && counted > due - 1000, `${samples} and ${stream.lost} lost of ${due}`)
      assert.ok(link.health.badHere > 20 && link.health.badThere > 5)
      process.stdout.write(`1 % wrong: ${samples} of 5000 samples, ${Math.round(reads / 5)} sets and reads a second\n`)
    },
    { wire: (transport) => noisy(transport, 100, 5) },
  ))

test('a firmware that starts anew is noticed: what was asked is not asked again, and nothing is until it is greeted', ({
  signal,
}) =>
  withLink(signal, async ({ board, link, description, signalOf }) => {
    const resets: (number | undefined)[] = []
    const isReset = new Promise<void>((resolve) =>
      link.onReset((introduction) => {
        resets.push(introduction?.boots)
        resolve()
      }),
    )
    const stream = await link.stream(description.signals.slice(0, 1), 1000, signal)
    board.say('freeze')
    await systemClock.sleep(50, signal)
    const asked = rejection(link.set([[signalOf('power'), 7]], signal))
    board.say('reset')
    assert.is((await asked).code, 'board-reset')
    await isReset
    const ended = async () => {
      for (;;) await stream.next(signal)
    }
    assert.is((await rejection(ended())).code, 'board-reset')
    assert.is((await rejection(link.read([signalOf('power')], signal))).code, 'board-reset')
    assert.equal(resets, [2])
    assert.is((await link.connect(signal)).boots, 2)
    assert.equal((await link.read([signalOf('power'), signalOf('sets')], signal)).values, [0, 0])
  }))

test('a firmware that does nothing any more, and a line that is cut, end the link with the reason', async ({
  signal,
}) => {
  await withLink(signal, async ({ board, link, signalOf }) => {
    const ended = until(link)
    board.say('freeze')
    await systemClock.sleep(50, signal)
    const error = await rejection(link.read([signalOf('power')], signal))
    assert.is(error.code, 'board-silent')
    assert.match(await ended, /did not answer read power within/)
    assert.is((await rejection(link.read([signalOf('power')], signal))).kind, 'link')
  })
  await withLink(signal, async ({ board, link, signalOf }) => {
    const ended = until(link)
    board.say('freeze')
    await systemClock.sleep(50, signal)
    const asked = rejection(link.set([[signalOf('power'), 7]], signal))
    board.say('cut')
    assert.is((await asked).code, 'board-disconnected')
    assert.match(await ended, /the connection to bench was lost/)
  })
})

test('a firmware of another version of the link is named as that', async ({ signal }) => {
  const other = await programs.compile('board', '-DOTHER_VERSION')
  const board = await programs.start(other)
  const link = new FirmwareLink({ board: 'bench', transport: await open(board, signal), clock: systemClock })
  const error = await rejection(link.connect(signal))
  assert.is(error.code, 'board-version')
  assert.match(error.message, /speaks version 2 of the link, this node version 1/)
  await link.close()
  await board.stop()
})

test('a request that comes again with its number is done once, and one after another greeting is done', async ({
  signal,
}) => {
  const board = await programs.start(program)
  const transport = await open(board, signal)
  const reader = new FrameReader()
  const waiting: Frame[] = []
  let wake = () => {}
  transport.onData((bytes) => {
    waiting.push(...reader.push(bytes))
    wake()
  })
  const ask = async (kind: number, number: number, ...payload: number[]) => {
    const bytes = encodeFrame({ kind, number, acknowledged: 0, credit: 0, payload: Uint8Array.from(payload) })
    // Byte by byte, as a slow wire would.
    for (const byte of bytes) await transport.write(Uint8Array.of(byte))
    for (;;) {
      const answer = waiting.shift()
      if (answer?.number === number && answer.kind === 16 + kind) return answer.payload
      if (answer === undefined) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  }
  const sets = async (number: number) => (await ask(3, number, 8))[5]
  assert.is((await ask(3, 9, 8))[0], 5, 'no session yet')
  await ask(1, 1, 1, 2, 3, 4)
  for (let again = 0; again < 3; again++) assert.equal(Array.from(await ask(4, 2, 5, 50, 0, 0, 0)), [0])
  assert.is(await sets(3), 1)
  for (let again = 0; again < 2; again++) assert.equal(Array.from(await ask(4, 4, 5, 200, 0, 0, 0)), [2])
  await ask(4, 5, 5, 51, 0, 0, 0)
  await ask(1, 5, 9, 9, 9, 9)
  await ask(4, 6, 5, 51, 0, 0, 0)
  assert.is(await sets(7), 3)
  await transport.close()
  await board.stop()
})

test.run()
