/**
 * A line that is lost: the tool of gpiod that held it has ended, as when the kernel's chip is unbound. Programs of this test
 * stand for the tools, one process a line as theirs are; what the kernel does is the kernel stage's.
 */
import { chmod, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Instrument } from '@fernlab/edge/drivers/driver'
import { createGpioDriver } from '@fernlab/edge/drivers/gpio/gpio'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog as log } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const test = suite('gpio: a line that is lost', { timeoutMs: 60_000 })
const never = new AbortController().signal
const path = process.env.PATH ?? ''

let folder: string
let instrument: Instrument
/** Each change of the connection. */
let changes: { readonly up: boolean; readonly reason: string | undefined }[]
let told: () => void

/** The tools of gpiod 2: a chip is there while `chip` is; who holds a line has a file in `held`, named for tool and line. */
const tools: Readonly<Record<string, string>> = {
  gpiodetect: `[ "$1" = --version ] && { echo 'gpiodetect (libgpiod) v2.2.1'; exit 0; }
[ -e "$state/chip" ] && echo 'gpiochip0 [pinctrl-bcm2711] (58 lines)'
exit 0`,
  gpioinfo: `[ -e "$state/chip" ] || exit 1`,
  gpioget: `[ -e "$state/chip" ] || { echo 'gpioget: cannot find the chip' >&2; exit 1; }
echo 1`,
  gpiomon: `[ -e "$state/chip" ] || { echo 'gpiomon: cannot find the chip' >&2; exit 1; }
for last; do :; done
echo $$ > "$state/held/gpiomon-$last"
echo 'Monitoring line'
exec sleep 600`,
  gpioset: `[ -e "$state/chip" ] || { echo 'gpioset: cannot find the chip' >&2; exit 1; }
for last; do :; done
echo $$ > "$state/held/gpioset-\${last%%=*}"
echo 'Setting line'
exec sleep 600`,
}

test.before.each(async () => {
  folder = await mkdtemp(join(tmpdir(), 'fernlab-gpiod-'))
  await mkdir(join(folder, 'held'))
  await writeFile(join(folder, 'chip'), '')
  for (const [name, text] of Object.entries(tools)) {
    await writeFile(join(folder, name), `#!/bin/sh\nstate='${folder}'\n${text}\n`)
    await chmod(join(folder, name), 0o755)
  }
  process.env.PATH = `${folder}:${path}`
  changes = []
  told = () => {}
  instrument = await createGpioDriver().create(
    {
      backend: 'gpiod',
      pins: { door: { pin: 17, direction: 'in' }, lamp: { pin: 27, direction: 'out', initial: true } },
    },
    {
      name: 'header',
      clock,
      log,
      configFolder: '.',
      openTransport: async () => {
        throw new LabError({ code: 'no-transport', kind: 'bug', message: 'pins need no transport' })
      },
    },
  )
  instrument.onConnection?.((up, reason) => {
    changes.push({ up, reason })
    told()
  })
  await instrument.open(never)
})
test.after.each(async () => {
  await instrument.close()
  process.env.PATH = path
  await rm(folder, { recursive: true, force: true })
})

const change = async (up: boolean) => {
  while (changes.at(-1)?.up !== up) await new Promise<void>((resolve) => (told = resolve))
}
const values = async () => {
  const readings = await instrument.read(['door', 'lamp'], never)
  return [readings.door?.value, readings.lamp?.value]
}
const held = async () => (await readdir(join(folder, 'held'))).sort()
/** Ends the tool that holds the line, as one ends whose chip has gone. */
const end = async (name: string) => {
  const file = join(folder, 'held', name)
  const pid = Number(await readFile(file, 'utf8'))
  await rm(file)
  process.kill(pid, 'SIGTERM')
}

for (const tool of ['gpiomon-17', 'gpioset-27']) {
  test(`${tool} has ended: the instrument is offline with the reason, and back with its lines`, async () => {
    assert.equal(await values(), [true, true])
    assert.equal(await held(), ['gpiomon-17', 'gpioset-27'])
    await rm(join(folder, 'chip'))
    await end(tool)
    await change(false)
    assert.match(changes.at(-1)?.reason ?? '', new RegExp(`${tool.slice(0, 7)} failed: it ended with`))
    const refused = await rejection(instrument.read(['door'], never))
    assert.is(refused.kind, 'link')
    assert.is((await rejection(instrument.set('lamp', false, never))).kind, 'link')
    await writeFile(join(folder, 'chip'), '')
    await change(true)
    assert.equal(await values(), [true, true])
    await instrument.set('lamp', false, never)
    assert.equal(await values(), [true, false])
    assert.equal(
      changes.map(({ up }) => up),
      [false, true],
    )
  })
}

test.run()
