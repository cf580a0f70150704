/** What the kernel itself does with GPIO, before any driver of ours: two interfaces, one line. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Gpio } from 'onoff'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('gpio chips')
const sysfs = '/sys/class/gpio'
const mockup = '/sys/kernel/debug/gpio-mockup'
const read = (path: string) => readFileSync(path, 'utf8').trim()
const chips = () =>
  readdirSync(sysfs)
    .filter((name) => name.startsWith('gpiochip'))
    .map((name) => ({ base: Number(read(`${sysfs}/${name}/base`)), label: read(`${sysfs}/${name}/label`) }))
    .sort((a, b) => a.base - b.base)
const tool = (...args: string[]) => execFileSync(args[0] ?? '', args.slice(1), { encoding: 'utf8' }).trim()

test('has a chip whose first number is not 0', () => {
  assert.equal(chips(), [
    { base: 100, label: 'gpio-mockup-A' },
    { base: 458, label: 'gpio-mockup-B' },
  ])
})

test('drives a line through sysfs by base and offset, as the chip itself shows', () => {
  const line = new Gpio(458 + 17, 'out')
  try {
    line.writeSync(1)
    assert.is(read(`${mockup}/gpiochip1/17`), '1')
    line.writeSync(0)
    assert.is(read(`${mockup}/gpiochip1/17`), '0')
  } finally {
    line.unexport()
  }
})

test('refuses a header number that is no number of a chip', () => {
  assert.throws(() => new Gpio(17, 'out'), /EINVAL|ENOENT/)
})

test('tells of an edge through sysfs', async ({ signal }) => {
  const line = new Gpio(458 + 22, 'in', 'rising')
  try {
    const edge = new Promise<number>((resolve, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason))
      line.watch((error, value) => (error ? reject(error) : resolve(value)))
    })
    writeFileSync(`${mockup}/gpiochip1/22`, '1')
    assert.is(await edge, 1)
  } finally {
    line.unwatchAll()
    line.unexport()
  }
})

test('finds and reads the same lines with the gpiod tools', () => {
  assert.match(tool('gpiodetect'), /gpiochip1 \[gpio-mockup-B\] \(54 lines\)/)
  writeFileSync(`${mockup}/gpiochip1/5`, '1')
  assert.is(tool('gpioget', 'gpio-mockup-B', '5'), '1')
  writeFileSync(`${mockup}/gpiochip1/5`, '0')
  assert.is(tool('gpioget', 'gpio-mockup-B', '5'), '0')
})

test('drives a line with the gpiod tools for as long as they hold it', async ({ signal }) => {
  const holder = spawn('gpioset', ['--mode=wait', 'gpio-mockup-B', '6=1'], { stdio: ['pipe', 'inherit', 'inherit'] })
  const ended = once(holder, 'exit')
  while (read(`${mockup}/gpiochip1/6`) !== '1') {
    signal.throwIfAborted()
    await sleep(20)
  }
  holder.stdin.end('\n')
  await ended
  assert.is(read(`${mockup}/gpiochip1/6`), '0')
})

test('refuses a line with the gpiod tools that sysfs holds', () => {
  const line = new Gpio(458 + 7, 'out')
  try {
    assert.throws(() => tool('gpioset', 'gpio-mockup-B', '7=1'), /busy/)
  } finally {
    line.unexport()
  }
})

test.run()
