/** What the tools of gpiod are told and say, in both versions; the kernel stage runs the tools themselves. */
import { autoBackend } from '@fernlab/edge/drivers/gpio/backends/auto'
import type { Backend, Chip } from '@fernlab/edge/drivers/gpio/backends/backend'
import { chipsIn, dialectOf, holderIn } from '@fernlab/edge/drivers/gpio/backends/gpiod-dialects'
import { gpioError } from '@fernlab/edge/drivers/gpio/gpio-errors'
import * as assert from 'uvu/assert'
import { rejection } from '../../../contract/driver-contract.ts'
import { suite } from '../../../support/suite.ts'

const test = suite('gpio: the tools of gpiod')

test('tells versions apart, and knows no third', () => {
  const licence = '\nCopyright (C) 2017-2018 Bartosz Golaszewski\nLicense: LGPLv2.1\n'
  assert.is(dialectOf(`gpiodetect (libgpiod) v1.6.3${licence}`)?.version, 1)
  assert.is(dialectOf(`gpiodetect (libgpiod) v2.2.1${licence}`)?.version, 2)
  assert.is(dialectOf('gpiodetect (libgpiod) v3.0'), undefined)
  assert.is(dialectOf('gpiodetect: command not found'), undefined)
})

test('asks each version in its own way', () => {
  const [first, second] = ['v1.6.3', 'v2.2.1'].map((version) => dialectOf(`gpiodetect (libgpiod) ${version}`))
  assert.equal(first?.get('gpiochip0', 27, 'none'), ['gpioget', '--bias=disable', 'gpiochip0', '27'])
  assert.equal(second?.get('gpiochip0', 27, 'none'), [
    'gpioget',
    ...['--numeric', '--bias=disabled', '--chip', 'gpiochip0', '27'],
  ])
  assert.ok(first?.watch('gpiochip0', 27, 'falling', 'up').includes('--falling-edge'))
  assert.ok(second?.watch('gpiochip0', 27, 'falling', 'up').includes('--edges=falling'))
})

test('reads the edges of both, and nothing else', () => {
  const [first, second] = ['v1.6.3', 'v2.2.1'].map((version) => dialectOf(`gpiodetect (libgpiod) ${version}`))
  assert.equal(first?.event('1 12 5000000'), { level: true, timeMs: 12_005 })
  assert.equal(first?.event('0 12 5000000'), { level: false, timeMs: 12_005 })
  assert.equal(second?.event('1 12.005000000'), { level: true, timeMs: 12_005 })
  assert.equal(second?.event('2 12.005000000'), { level: false, timeMs: 12_005 })
  for (const text of ['Monitoring line 27...', '', '3 12.0', '1 12']) {
    assert.is(first?.event(text), undefined)
    assert.is(second?.event(text), undefined)
  }
})

test('reads the list of chips, labels with spaces and brackets too', () => {
  assert.equal(
    chipsIn(
      'gpiochip0 [pinctrl-rp1] (54 lines)\ngpiochip10 [gpio-brcmstb@107d508500] (1 line)\ngpiochip2 [a [b] c] (8 lines)\n',
    ),
    [
      { name: 'gpiochip0', label: 'pinctrl-rp1', lineCount: 54 },
      { name: 'gpiochip10', label: 'gpio-brcmstb@107d508500', lineCount: 1 },
      { name: 'gpiochip2', label: 'a [b] c', lineCount: 8 },
    ],
  )
})

test('finds who holds a line in what both say', () => {
  const first = `gpiochip0 - 8 lines:
	line   0:      unnamed       unused   input  active-high 
	line   1:      "GPIO1"   "pump-hog"  output  active-high [used]
	line   2:     "unused"       unused   input  active-high 
	line   3:      unnamed       kernel  output   active-low [used open-drain]
`
  assert.equal(
    [0, 1, 2, 3, 4].map((line) => holderIn(first, line)),
    [undefined, 'pump-hog', undefined, 'the kernel', undefined],
  )
  const second = `gpiochip0 - 8 lines:
	line   0:	unnamed         	input
	line   1:	"GPIO1"         	output active-low consumer="pump-hog"
	line   2:	"used"          	input
	line   3:	unnamed         	output consumer=sysfs
`
  assert.equal(
    [0, 1, 2, 3, 4].map((line) => holderIn(second, line)),
    [undefined, 'pump-hog', undefined, 'sysfs', undefined],
  )
})

test('takes the first way that the machine has, and says what all lack when it has none', async () => {
  const request = { labels: ['x'], wantsPull: false, onLost: () => {} }
  const never = new AbortController().signal
  const fails = (code: string): Backend => ({ open: () => Promise.reject(gpioError(code, `no ${code}`)) })
  const chip = { about: 'x by tools' } as Chip
  const works: Backend = { open: async () => chip }
  assert.is(await autoBackend([fails('gpio-sysfs-missing'), works]).open(request, never), chip)
  assert.is(await autoBackend([fails('onoff-missing'), works]).open(request, never), chip)
  // What is wrong with the pins is wrong with them by any way.
  const denied = await rejection(autoBackend([fails('gpio-not-permitted'), works]).open(request, never))
  assert.is(denied.code, 'gpio-not-permitted')
  const none = await rejection(autoBackend([fails('onoff-missing'), fails('gpiod-missing')]).open(request, never))
  assert.is(none.message, 'no onoff-missing; or: no gpiod-missing')
})

test.run()
