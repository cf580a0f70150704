/** Finding the header's chip in sysfs as it is on a Pi 4 and a Pi 5: labels and bases are those of Raspberry Pi OS. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { consumerIn } from '@fernlab/edge/drivers/gpio/backends/consumer'
import { chooseChip, type FoundChip, listChips } from '@fernlab/edge/drivers/gpio/backends/find-chip'
import type { Onoff } from '@fernlab/edge/drivers/gpio/backends/load-onoff'
import { sysfsBackend } from '@fernlab/edge/drivers/gpio/backends/sysfs'
import { HEADER_LABELS } from '@fernlab/edge/drivers/gpio/gpio-config'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { rejection } from '../../../contract/driver-contract.ts'
import { suite } from '../../../support/suite.ts'

const test = suite('gpio: finding the chip')
const never = new AbortController().signal

const machines = {
  'a Pi 4 on 6.1': { base: 0, chips: { 0: ['pinctrl-bcm2711', 58], 504: ['raspberrypi-exp-gpio', 8] } },
  'a Pi 4 on 6.12': { base: 512, chips: { 512: ['pinctrl-bcm2711', 58], 570: ['raspberrypi-exp-gpio', 8] } },
  'a Pi 3 on 6.1 of Debian': { base: 458, chips: { 458: ['pinctrl-bcm2835', 54], 450: ['raspberrypi-exp-gpio', 8] } },
  'a Pi 5': {
    base: 571,
    chips: {
      512: ['gpio-brcmstb@107d508500', 32],
      544: ['gpio-brcmstb@107d508520', 4],
      548: ['gpio-brcmstb@107d517c00', 17],
      565: ['gpio-brcmstb@107d517c20', 6],
      571: ['pinctrl-rp1', 54],
    },
  },
} as const

async function tree(chips: Readonly<Record<number, readonly [string, number]>>): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'fernlab-sysfs-'))
  await mkdir(join(root, 'class/gpio'), { recursive: true })
  for (const [base, [label, ngpio]] of Object.entries(chips)) {
    const folder = join(root, `class/gpio/gpiochip${base}`)
    await mkdir(folder)
    await writeFile(join(folder, 'base'), `${base}\n`)
    await writeFile(join(folder, 'label'), `${label}\n`)
    await writeFile(join(folder, 'ngpio'), `${ngpio}\n`)
  }
  return root
}

for (const [machine, { base, chips }] of Object.entries(machines)) {
  test(`on ${machine}, GPIO17 is number ${base + 17}`, async () => {
    const root = await tree(chips)
    try {
      const pin = join(root, `class/gpio/gpio${base + 17}`)
      await mkdir(pin)
      for (const [file, text] of Object.entries({ value: '0', direction: 'in', active_low: '0', edge: 'none' })) {
        await writeFile(join(pin, file), `${text}\n`)
      }
      const asked: number[] = []
      class Recorder {
        constructor(number: number) {
          asked.push(number)
        }
        watch() {}
        unexport() {}
        readSync = () => 1
      }
      const backend = sysfsBackend({
        root,
        clock: systemClock,
        loadOnoff: async () => Recorder as unknown as Onoff,
      })
      const chip = await backend.open({ labels: HEADER_LABELS, wantsPull: false, onLost: () => {} }, never)
      await chip.edges(17, { pull: undefined, edges: 'rising', onEdge: () => {} })
      assert.equal(asked, [base + 17])
      // The kernel is asked for those edges alone.
      assert.is(await readFile(join(pin, 'edge'), 'utf8'), 'rising')
      assert.match(chip.about, new RegExp(`from ${base} on`))
      const missing = await rejection(chip.output(60, false))
      assert.is(missing.code, 'gpio-line-missing')
      assert.match(missing.message, /has the lines 0 to 5[37]/)
    } finally {
      await rm(root, { recursive: true })
    }
  })
}

test('says which chips there are where none is that of a header', async () => {
  const root = await tree({ 200: ['gpio-mockup-A', 28] })
  try {
    const chips = await listChips(root)
    assert.equal(chips, [{ label: 'gpio-mockup-A', base: 200, lineCount: 28 }])
    const error = thrown(() => chooseChip(chips, HEADER_LABELS))
    assert.is(error.code, 'gpio-chip-missing')
    assert.match(error.message, /it has gpio-mockup-A \(28 lines\)/)
  } finally {
    await rm(root, { recursive: true })
  }
})

test('refuses a label that two chips have, and a kernel without sysfs', async () => {
  const twice: FoundChip[] = [0, 32].map((base) => ({ label: 'pcf857x', base, lineCount: 8 }))
  assert.is(thrown(() => chooseChip(twice, ['pcf857x'])).code, 'gpio-chip-ambiguous')
  const error = await rejection(listChips('/nonexistent'))
  assert.is(error.code, 'gpio-sysfs-missing')
  assert.match(error.message, /CONFIG_GPIO_SYSFS/)
})

test('finds who holds a line in the kernel’s listing', () => {
  const listing = `gpiochip1: GPIOs 504-511, parent: platform/soc:firmware:gpio, raspberrypi-exp-gpio, can sleep:
 gpio-504 (BT_ON               )
 gpio-505 (WL_ON               |reset               ) out hi
gpiochip0: GPIOs 512-539, gpio-mockup-A:
 gpio-517 (                    |pump-hog            ) out hi
`
  assert.is(consumerIn(listing, 505), 'reset')
  assert.is(consumerIn(listing, 517), 'pump-hog')
  assert.is(consumerIn(listing, 504), undefined)
  assert.is(consumerIn(listing, 51), undefined)
})

function thrown(work: () => unknown): LabError {
  try {
    work()
  } catch (error) {
    if (error instanceof LabError) return error
    throw error
  }
  throw new LabError({ code: 'no-throw', kind: 'bug', message: 'nothing was thrown' })
}

test.run()
