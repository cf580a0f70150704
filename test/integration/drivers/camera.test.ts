import { spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createCameraDriver } from '@fernlab/edge/drivers/camera/camera'
import type { Instrument } from '@fernlab/edge/drivers/driver'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { greyPicture, startNetworkCamera } from '../../support/network-camera.ts'
import { suite } from '../../support/suite.ts'

const test = suite('cameras', { timeoutMs: 30_000 })
const { signal } = new AbortController()

const make = (config: object): Promise<Instrument> =>
  createCameraDriver().create(
    { width: 160, height: 120, ...config },
    {
      name: 'eye',
      clock: systemClock,
      log: silentLog,
      configFolder: '.',
      openTransport: async () => {
        throw new LabError({ code: 'no-transport', kind: 'bug', message: 'a camera needs no transport' })
      },
    },
  )

test('the time of a picture is when it was seen, within 50 ms', async () => {
  const network = await startNetworkCamera()
  const [dark, bright] = [greyPicture(20), greyPicture(230)]
  const camera = await make({ source: { kind: 'network', url: network.url }, rateHz: 20 })
  let shown = dark
  const shownAt: { bright: boolean; at: number }[] = []
  const timer = setInterval(() => {
    if (Math.random() < 0.2) shown = shown === dark ? bright : dark
    shownAt.push({ bright: shown === bright, at: Date.now() / 1000 })
    network.show(shown)
  }, 50)
  try {
    await camera.open(signal)
    const late: number[] = []
    for (let i = 0; i < 40; i++) {
      const { brightness } = await camera.read(['brightness'], signal)
      const isBright = Number(brightness?.value) > 50
      const at = brightness?.time ?? 0
      const nearest = shownAt.filter((each) => each.bright === isBright && each.at <= at).at(-1)
      late.push(at - (nearest?.at ?? 0))
    }
    late.sort((a, b) => a - b)
    assert.ok((late[20] ?? 1) < 0.05, `median ${late[20]} s`)
  } finally {
    clearInterval(timer)
    await camera.close()
    network.close()
  }
})

test('what is asked of a camera is never of a moment before', async () => {
  const network = await startNetworkCamera()
  const [dark, bright] = [greyPicture(20), greyPicture(230)]
  const camera = await make({ source: { kind: 'network', url: network.url }, rateHz: 10, delayMs: 800 })
  let shown = dark
  const timer = setInterval(() => network.show(shown), 100)
  try {
    await camera.open(signal)
    for (let i = 0; i < 6; i++) {
      // A picture of the scene before is on its way.
      network.show(shown)
      shown = shown === dark ? bright : dark
      const { brightness } = await camera.read(['brightness'], signal)
      assert.is(Number(brightness?.value) > 50, shown === bright)
    }
  } finally {
    clearInterval(timer)
    await camera.close()
    network.close()
  }
})

test('a camera that stops in the middle of a picture is offline, says why, and comes back', async () => {
  const network = await startNetworkCamera()
  const picture = greyPicture(120)
  const camera = await make({ source: { kind: 'network', url: network.url }, rateHz: 20 })
  let timer = setInterval(() => network.show(picture), 50)
  const changes: { up: boolean; reason: string | undefined }[] = []
  let changed = () => {}
  const next = async (up: boolean) => {
    while (changes.at(-1)?.up !== up) {
      await new Promise<void>((resolve) => {
        changed = resolve
      })
    }
  }
  camera.onConnection?.((up, reason) => {
    changes.push({ up, reason })
    changed()
  })
  try {
    await camera.open(signal)
    clearInterval(timer)
    network.show(picture, 200)
    const asked = rejection(camera.read(['brightness'], signal))
    await next(false)
    assert.match(changes.at(-1)?.reason ?? '', /no picture has come from eye for 5 s/)
    assert.is((await rejection(camera.read(['brightness'], signal))).code, 'camera-silent')
    assert.is((await asked).code, 'camera-silent')
    timer = setInterval(() => network.show(picture), 50)
    await next(true)
    const { brightness } = await camera.read(['brightness'], signal)
    assert.ok(Math.abs(Number(brightness?.value) - (100 * 120) / 255) < 4)
  } finally {
    clearInterval(timer)
    await camera.close()
    network.close()
  }
})

/** How many programs have that in their command line. */
const programsWith = (words: string) =>
  spawnSync('pgrep', ['-f', words], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((pid) => pid !== '').length
/** What a shell starts has the shell's own command line for a moment, and what is ended is there until it has a processor. */
async function untilNoProgramWith(words: string): Promise<void> {
  const deadline = performance.now() + 10_000
  while (programsWith(words) > 0) {
    assert.ok(performance.now() < deadline, `a program with ${words} goes on`)
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

test('leaves no program behind, whether it is closed or the camera is away', async () => {
  const network = await startNetworkCamera()
  const picture = greyPicture(120)
  const timer = setInterval(() => network.show(picture), 50)
  const camera = await make({ source: { kind: 'network', url: network.url }, rateHz: 20 })
  try {
    await camera.open(signal)
    assert.is(programsWith(network.url), 1)
    network.close()
    await new Promise<void>((resolve) => {
      camera.onConnection?.((up) => {
        if (!up) resolve()
      })
    })
  } finally {
    clearInterval(timer)
    await camera.close()
    network.close()
  }
  await untilNoProgramWith(network.url)
})

test('the camera of a Pi is read from rpicam-vid', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'fernlab-test-'))
  const { PATH } = process.env
  // Stands in for the program of a Pi: as many grey bytes as it was asked for pictures of, in YUV 4:2:0.
  const program = join(folder, 'rpicam-vid')
  writeFileSync(
    program,
    `#!/bin/sh
while [ $# -gt 0 ]; do case "$1" in --width) w=$2;; --height) h=$2;; esac; shift; done
while :; do head -c $((w * h * 3 / 2)) /dev/zero | tr '\\000' '\\200'; sleep 0.05; done
`,
  )
  chmodSync(program, 0o755)
  process.env.PATH = `${folder}:${PATH}`
  const camera = await make({ source: { kind: 'pi' }, width: 128, rateHz: 20 })
  try {
    await camera.open(signal)
    const { brightness, contrast } = await camera.read(['brightness', 'contrast'], signal)
    assert.ok(Math.abs(Number(brightness?.value) - 50) < 10, `brightness ${brightness?.value}`)
    assert.ok(Number(contrast?.value) < 1)
    assert.equal([...((await camera.camera?.take(signal))?.jpeg.subarray(0, 2) ?? [])], [0xff, 0xd8])
  } finally {
    process.env.PATH = PATH
    await camera.close()
    rmSync(folder, { recursive: true })
  }
  await untilNoProgramWith(program)
})

test('says what to install, what cameras there are, and what the camera itself says', async () => {
  const { PATH } = process.env
  const missing = await make({ source: { kind: 'emulated' } })
  process.env.PATH = '/nowhere'
  try {
    const { code, message } = await rejection(missing.open(signal))
    assert.is(code, 'camera-program-missing')
    assert.match(message, /sudo apt install ffmpeg/)
  } finally {
    process.env.PATH = PATH
    await missing.close()
  }
  const none = await make({ source: { kind: 'v4l2', path: '/dev/video99' } })
  assert.match((await rejection(none.open(signal))).message, /there is no camera at \/dev\/video99; there is /)
  await none.close()
  const noCamera = await make({ source: { kind: 'v4l2', path: '/dev/null' } })
  assert.match((await rejection(noCamera.open(signal))).message, /^the camera has stopped: .*\/dev\/null/)
  await noCamera.close()
  const nobody = await make({ source: { kind: 'network', url: 'http://127.0.0.1:9/' } })
  assert.match((await rejection(nobody.open(signal))).message, /the camera has stopped: .*refused/i)
  await nobody.close()
})

test.run()
