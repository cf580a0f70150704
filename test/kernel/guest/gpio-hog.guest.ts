/** A line that the kernel keeps for itself: a hog, as a board's device tree has it for what must never be switched. */
import { execFileSync } from 'node:child_process'
import { mkdirSync, rmdirSync, writeFileSync } from 'node:fs'
import { createGpioDriver } from '@fernlab/edge/drivers/gpio/gpio'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const test = suite('gpio, a hogged line', { timeoutMs: 60_000 })
const config = '/sys/kernel/config'
const device = `${config}/gpio-sim/board`
const folders = [device, `${device}/bank`, `${device}/bank/line5`, `${device}/bank/line5/hog`]
const never = new AbortController().signal
const ownPath = process.env.PATH ?? ''

test.before(() => {
  execFileSync('mount', ['-t', 'configfs', 'configfs', config])
  mkdirSync(device)
  mkdirSync(`${device}/bank`)
  writeFileSync(`${device}/bank/num_lines`, '8')
  writeFileSync(`${device}/bank/label`, 'pinctrl-test')
  mkdirSync(`${device}/bank/line5/hog`, { recursive: true })
  writeFileSync(`${device}/bank/line5/hog/name`, 'pump-power')
  writeFileSync(`${device}/bank/line5/hog/direction`, 'output-high')
  writeFileSync(`${device}/live`, '1')
})

test.after(() => {
  process.env.PATH = ownPath
  writeFileSync(`${device}/live`, '0')
  for (const folder of folders.toReversed()) rmdirSync(folder)
  execFileSync('umount', [config])
})

for (const [way, backend, path] of [
  ['sysfs', 'sysfs', ownPath],
  ['gpiod 1', 'gpiod', ownPath],
  ['gpiod 2', 'gpiod', `/opt/gpiod-2/bin:${ownPath}`],
] as const) {
  test(`is refused by its name, by ${way}, and its neighbour is not`, async () => {
    process.env.PATH = path
    const make = (pins: object) =>
      createGpioDriver().create(
        { chip: 'pinctrl-test', backend, pins },
        {
          name: 'header-1',
          clock: systemClock,
          log: silentLog,
          configFolder: '.',
          openTransport: async () => {
            throw new LabError({ code: 'no-transport', kind: 'bug', message: 'pins need no transport' })
          },
        },
      )
    const hogged = await make({ led: { pin: 4, direction: 'out' }, pump: { pin: 5, direction: 'out' } })
    const error = await rejection(hogged.open(never))
    await hogged.close()
    assert.is(error.code, 'gpio-line-held')
    assert.is(error.message, 'line 5 of pinctrl-test is held by pump-power')
    const beside = await make({ led: { pin: 4, direction: 'in' } })
    await beside.open(never)
    await beside.close()
  })
}

test.run()
