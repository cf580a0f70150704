/** A node that keeps a board on its firmware by the real avrdude. */
import { keepBaselineFirmware } from '@fernlab/edge/instruments/baseline-firmware'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import type { OpenTransport } from '@fernlab/firmware-bridge/transports/transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { banner, hearing, hello, helloVersion } from '../../support/boards/hello.ts'
import { unoKind } from '../../support/boards/uno-kind.ts'
import { suite } from '../../support/suite.ts'

const test = suite('firmware that a node keeps on a board by avrdude', { timeoutMs: 120_000 })
const TRANSPORT = { kind: 'emulated', world: 'uno', device: 'board' } as const

function keptByAvrdude() {
  const worlds = createWorlds({ clock: systemClock, uno: { firmware: hello } })
  const bare = createOpenTransport({ worlds, clock: systemClock, log: silentLog })
  let written = 0
  let onPage = () => {}
  const firstPage = new Promise<void>((resolve) => {
    onPage = resolve
  })
  const openTransport: OpenTransport = async (config, signal) => {
    const transport = await bare(config, signal)
    return {
      ...transport,
      write: async (bytes) => {
        await transport.write(bytes)
        if (bytes.length <= 100) return
        written += 1
        onPage()
      },
    }
  }
  const kept = keepBaselineFirmware({
    board: { ...unoKind(), method: 'avrdude' },
    image: helloVersion('5.6.7', 4000),
    openTransport,
    clock: systemClock,
    log: silentLog,
    waitMs: 100_000,
  })
  return { kept, bare, firstPage, written: () => written }
}

test('a board with other firmware is written once, and left alone from then on', async ({ signal }) => {
  const { kept, written } = keptByAvrdude()
  for (const writes of [true, false]) {
    const before = written()
    const transport = await kept.openTransport(TRANSPORT, signal)
    await hearing(transport)(banner('5.6.7'), signal)
    await transport.close()
    assert.is(written() > before, writes, `${written() - before} pages`)
  }
  await kept.close()
})

test('a node that ends in the middle of writing ends avrdude, and lets go of the port', async ({ signal }) => {
  const { kept, bare, firstPage } = keptByAvrdude()
  const opening = kept.openTransport(TRANSPORT, signal).catch((error: Error) => error)
  await firstPage
  await kept.close()
  assert.match(String(await opening), /the node stops/)
  const transport = await bare(TRANSPORT, signal)
  await transport.close()
})

test.run()
