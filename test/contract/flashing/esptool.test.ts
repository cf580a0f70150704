/** Espressif's own esptool, which judges the emulated boards, and the images that tests are made of. */
import { execFile } from 'node:child_process'
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { forwardPort } from '@fernlab/firmware-bridge/forwarding/forward-port'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { esptool } from '../../support/boards/debian-13.ts'
import { espApp, espBanner, espFlash } from '../../support/boards/esp-firmware.ts'
import { hearing } from '../../support/boards/hello.ts'
import { NoArchive } from '../../support/kernel/debian-packages.ts'
import { suite } from '../../support/suite.ts'

const test = suite('esptool', { timeoutMs: 120_000 })
const run = promisify(execFile)
const tool = await esptool().catch((error: unknown) => {
  if (error instanceof NoArchive) return undefined
  throw error
})
const folder = await mkdtemp(join(tmpdir(), 'fernlab-esp-'))

/** Runs it; what it said. */
const say = async (signal: AbortSignal, ...args: readonly string[]) => {
  if (tool === undefined) throw new Error('there is no esptool')
  const { stdout } = await run('python3', ['-m', 'esptool', ...args], { signal, env: { ...process.env, ...tool } })
  return stdout
}

// Debian has no stub for chips with Xtensa cores, and that of the ESP32-C3 it builds itself.
const BOARDS = [
  ['esp32', 0, false],
  ['esp32-s3', 9, false],
  ['esp32-c3', 5, false],
  ['esp32-c3', 5, true],
] as const
for (const [kind, chipId, stub] of tool === undefined ? [] : BOARDS) {
  const how = stub ? 'by its stub' : 'by the ROM alone'
  test(`tells an emulated ${kind}, writes it ${how} through a forwarded port and verifies it; the firmware starts`, async ({
    signal,
  }) => {
    const worlds = createWorlds({ clock: systemClock, esp: { instant: true, startsInLoader: true } })
    const openTransport = createOpenTransport({ worlds, clock: systemClock, log: silentLog })
    const transport = { kind: 'emulated', world: kind, device: 'board' } as const
    const forwarded = await forwardPort({
      open: (within) => openTransport(transport, within),
      port: 0,
      clock: systemClock,
      log: silentLog,
    })
    const file = join(folder, `${kind}.bin`)
    await writeFile(file, espFlash(chipId, '3.2.1', 60_000))
    // A TCP port has no modem lines.
    const place = [
      '--port',
      `socket://${forwarded.host}:${forwarded.port}`,
      '--before',
      'no_reset',
      '--after',
      'no_reset',
    ]
    const said = await say(
      signal,
      ...place,
      ...(stub ? [] : ['--no-stub']),
      'write_flash',
      '--flash_size',
      'keep',
      '0',
      file,
    )
    assert.match(said, new RegExp(`Chip is ${kind.toUpperCase()}`))
    assert.match(said, /MAC: 7c:df:a1:f2:e4:17/)
    assert.is(/Stub running/.test(said), stub)
    assert.match(said, /Hash of data verified/)
    await forwarded.close()
    const opened = await openTransport(transport, signal)
    const heard = hearing(opened)(espBanner('3.2.1'), signal)
    await opened.setLines?.({ dtr: false, rts: true })
    await opened.setLines?.({ dtr: false, rts: false })
    await heard
    await opened.close()
  })
}

if (tool === undefined) test.skip('all of it', "needs Debian's archive")
else
  test('finds the images that are flashed in tests to be whole, and for their chip', async ({ signal }) => {
    for (const [chipId, chip] of [
      [0, 'ESP32'],
      [9, 'ESP32-S3'],
      [5, 'ESP32-C3'],
    ] as const) {
      const file = join(folder, `app-${chipId}.bin`)
      await writeFile(file, espApp(chipId, '1.2.3'))
      const said = await say(signal, 'image_info', '--version', '2', file)
      assert.match(said, new RegExp(`Chip ID: ${chipId} \\(${chip}\\)`))
      assert.match(said, /Checksum: 0x[0-9a-f]+ \(valid\)/)
      assert.match(said, /Validation hash: [0-9a-f]+ \(valid\)/)
      assert.match(said, /Project name: fernlab-hello[\s\0]+App version: 1\.2\.3/)
    }
  })

test.run()
