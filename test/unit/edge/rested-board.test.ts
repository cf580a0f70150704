/** A board that must be given its firmware again and again: how often it is written, and when it is left alone. */
import { keepBaselineFirmware } from '@fernlab/edge/instruments/baseline-firmware'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { boardKind } from '@fernlab/firmware-bridge/flashing/board-kinds'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import type { OpenTransport } from '@fernlab/firmware-bridge/transports/transport'
import { type Clock, systemClock } from '@fernlab/shared/primitives/clock'
import { asLabError, type LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { helloVersion } from '../../support/boards/hello.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a board that loses its firmware again and again', { timeoutMs: 300_000 })
const TRANSPORT = { kind: 'emulated', world: 'uno', device: 'board' } as const
/** Of STK500v1. */
const READ_PAGE = 0x74
const MINUTE_MS = 60_000
const DAY_MS = 24 * 60 * MINUTE_MS
const wanted = helloVersion('1.2.3')

/** Time goes on as told besides; what is read of a spoilt board has a wrong byte until a page of it is written. */
function port() {
  let shiftMs = 0
  let spoilt = false
  let used = 0
  let written = 0
  const clock: Clock = { ...systemClock, monotonic: () => systemClock.monotonic() + shiftMs }
  const worlds = createWorlds({ clock: systemClock, uno: { firmware: wanted } })
  const bare = createOpenTransport({ worlds, clock: systemClock, log: silentLog })
  const openTransport: OpenTransport = async (config, signal) => {
    used += 1
    const transport = await bare(config, signal)
    let sinceRead = Number.POSITIVE_INFINITY
    return {
      ...transport,
      write: async (bytes) => {
        if (bytes.length > 100) {
          written += 1
          spoilt = false
        }
        if (bytes[0] === READ_PAGE) sinceRead = 0
        await transport.write(bytes)
      },
      onData: (listener) => {
        transport.onData((bytes) => {
          const from = sinceRead
          sinceRead += bytes.length
          listener(bytes.map((byte, i) => (spoilt && from + i === 1 ? byte ^ 1 : byte)))
        })
      },
    }
  }
  const kept = keepBaselineFirmware({
    board: boardKind('uno'),
    image: wanted,
    openTransport,
    clock,
    log: silentLog,
    waitMs: 120_000,
  })
  /** What an opening ends with: how many pages were written for it, or why there is none. */
  const open = async (isSpoilt: boolean, signal: AbortSignal): Promise<number | LabError> => {
    spoilt = isSpoilt
    written = 0
    try {
      const transport = await kept.openTransport(TRANSPORT, signal)
      await transport.close()
      return written
    } catch (thrown) {
      return asLabError(thrown)
    }
  }
  return {
    open,
    kept,
    used: () => used,
    pass: (ms: number) => {
      shiftMs += ms
    },
  }
}

test('after 20 writes within a day it is left alone for ten minutes, then twice as long after each write; a day without forgets', async ({
  signal,
}) => {
  const { open, kept, used, pass } = port()
  for (let time = 1; time <= 20; time++) {
    const got = await open(true, signal)
    assert.type(got, 'number', `${time}: ${got}`)
    assert.ok((got as number) > 0, `${time} was written`)
    pass(30 * MINUTE_MS)
    // The rest after the last of them begins as it is written.
    if (time === 20) pass(-30 * MINUTE_MS)
  }
  const before = used()
  const refused = await open(true, signal)
  assert.is((refused as LabError).code, 'firmware-lost-again')
  assert.match((refused as LabError).message, /20 times within a day, and is left alone now/)
  assert.is(used(), before, 'its port was touched')
  pass(9 * MINUTE_MS)
  assert.is(((await open(true, signal)) as LabError).code, 'firmware-lost-again')
  pass(2 * MINUTE_MS)
  assert.ok(((await open(true, signal)) as number) > 0, 'after ten minutes it is written')
  pass(11 * MINUTE_MS)
  assert.is(((await open(true, signal)) as LabError).code, 'firmware-lost-again', 'the second rest is longer')
  pass(10 * MINUTE_MS)
  assert.is(await open(false, signal), 0, 'one that has it is not written')
  pass(DAY_MS)
  assert.ok(((await open(true, signal)) as number) > 0)
  assert.ok(((await open(true, signal)) as number) > 0, 'yesterday is forgotten')
  await kept.close()
})

test.run()
