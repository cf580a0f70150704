/** Hardware PWM in sysfs and the device tree, laid out as Raspberry Pi OS has them with `dtoverlay=pwm-2chan`. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { sysfsPwm } from '@fernlab/edge/drivers/gpio/backends/sysfs-pwm'
import { systemClock } from '@fernlab/shared/primitives/clock'
import * as assert from 'uvu/assert'
import { rejection } from '../../../contract/driver-contract.ts'
import { suite } from '../../../support/suite.ts'

const test = suite('gpio: PWM of the chip')
let root = ''
test.before.each(async () => {
  root = await mkdtemp(join(tmpdir(), 'fernlab-sysfs-'))
})
test.after.each(() => rm(root, { recursive: true }))

const put = async (path: string, what: string | Buffer = '') => {
  await mkdir(dirname(join(root, path)), { recursive: true })
  await writeFile(join(root, path), what)
}
const numbers = (...words: number[]) => {
  const bytes = Buffer.alloc(4 * words.length)
  for (const [at, word] of words.entries()) bytes.writeUInt32BE(word, 4 * at)
  return bytes
}
const bcm = { label: 'pinctrl-bcm2711', base: 512, lineCount: 58 }
const rp1 = { label: 'pinctrl-rp1', base: 571, lineCount: 54 }

/** A Pi 4: the audio jack's PWM on pins 40 and 41, and pwm-2chan's on 18 and 19. */
async function pi4() {
  const pins = 'class/gpio/gpiochip512/device/of_node'
  await put(`${pins}/compatible`, 'brcm,bcm2711-gpio\0')
  await put(`${pins}/audio_pins/phandle`, numbers(30))
  await put(`${pins}/audio_pins/brcm,pins`, numbers(40, 41))
  await put(`${pins}/pwm_pins/phandle`, numbers(105))
  await put(`${pins}/pwm_pins/brcm,pins`, numbers(18, 19))
  await put('class/pwm/pwmchip1/device/of_node/pinctrl-0', numbers(30))
  await put('class/pwm/pwmchip0/device/of_node/pinctrl-0', numbers(105))
  for (const channel of [0, 1]) await channelOf('pwmchip0', channel)
}
async function channelOf(chip: string, channel: number) {
  await put(`class/pwm/${chip}/export`)
  for (const file of ['period', 'duty_cycle', 'enable']) await put(`class/pwm/${chip}/pwm${channel}/${file}`, '0\n')
}
const holds = async (chip: string, channel: number) =>
  await Promise.all(
    ['period', 'duty_cycle', 'enable'].map(async (file) =>
      Number(await readFile(join(root, `class/pwm/${chip}/pwm${channel}/${file}`), 'utf8')),
    ),
  )
const open = (chip: typeof bcm, line: number, frequencyHz = 1000, duty = 0) =>
  sysfsPwm({ root, clock: systemClock, chip, line, frequencyHz, duty })

test('on a Pi 4 GPIO19 is channel 1 of the chip that is led to it', async () => {
  await pi4()
  const pwm = await open(bcm, 19, 25_000, 0.25)
  assert.is(pwm?.how, 'hardware: pwmchip0 channel 1')
  assert.is(await readFile(join(root, 'class/pwm/pwmchip0/export'), 'utf8'), '1')
  assert.equal(await holds('pwmchip0', 1), [40_000, 10_000, 1])
  await pwm?.write(1)
  assert.equal(await holds('pwmchip0', 1), [40_000, 40_000, 1])
  await pwm?.close(0)
  await pwm?.close(1)
  assert.equal(await holds('pwmchip0', 1), [40_000, 0, 1], 'at its last duty, and enabled')
})

test('a pin that none is led to has none, though it could have', async () => {
  await pi4()
  assert.is(await open(bcm, 12), undefined)
  assert.is(await open(bcm, 17), undefined)
  assert.is(await open({ ...bcm, base: 0 }, 18), undefined)
})

test('on a Pi 5 pins have names, and GPIO18 is channel 2', async () => {
  const pins = 'class/gpio/gpiochip571/device/of_node'
  await put(`${pins}/rp1_pwm0_gpio18_19/phandle`, numbers(77))
  await put(`${pins}/rp1_pwm0_gpio18_19/pins`, 'gpio18\0gpio19\0')
  await put('class/pwm/pwmchip2/device/of_node/pinctrl-0', numbers(77))
  await channelOf('pwmchip2', 2)
  assert.is((await open(rp1, 18))?.how, 'hardware: pwmchip2 channel 2')
  assert.equal(await holds('pwmchip2', 2), [1_000_000, 0, 1])
})

test('a channel that does not come, or that this user may not use, says the group', async () => {
  await pi4()
  await rm(join(root, 'class/pwm/pwmchip0/pwm0'), { recursive: true })
  const error = await rejection(open(bcm, 18))
  assert.is(error.code, 'gpio-not-permitted')
  assert.match(error.message, /group gpio/)
})

test('what the kernel refuses is said with the channel and the value', async () => {
  await pi4()
  await rm(join(root, 'class/pwm/pwmchip0/pwm0/period'))
  await mkdir(join(root, 'class/pwm/pwmchip0/pwm0/period'))
  const error = await rejection(open(bcm, 18))
  assert.is(error.code, 'gpio-pwm-refused')
  assert.match(error.message, /pwmchip0 channel 0: period 1000000/)
})

test.run()
