/** What the kernel itself does with I2C, before any driver of ours. */
import { readdirSync, readFileSync } from 'node:fs'
import i2c from 'i2c-bus'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('i2c bus')

/** The number of the bus with this name. */
function busNumber(name: string): number {
  const devices = '/sys/class/i2c-dev'
  const found = readdirSync(devices).find((each) => readFileSync(`${devices}/${each}/name`, 'utf8').includes(name))
  assert.ok(found !== undefined, `${name} among ${readdirSync(devices).join(', ')}`)
  return Number(found?.replace('i2c-', ''))
}

test('finds the chips that answer', async () => {
  const bus = await i2c.openPromisified(busNumber('SMBus stub'))
  try {
    assert.equal(await bus.scan(), [0x40, 0x48, 0x76])
  } finally {
    await bus.close()
  }
})

test('writes and reads registers of a byte, of a word, and of a block', async () => {
  const bus = await i2c.openPromisified(busNumber('SMBus stub'))
  try {
    await bus.writeByte(0x48, 0x01, 0x60)
    assert.is(await bus.readByte(0x48, 0x01), 0x60)
    await bus.writeWord(0x40, 0x05, 0xa55a)
    assert.is(await bus.readWord(0x40, 0x05), 0xa55a)
    await bus.writeI2cBlock(0x76, 0x88, 4, Buffer.from([1, 2, 3, 4]))
    const block = Buffer.alloc(4)
    await bus.readI2cBlock(0x76, 0x88, 4, block)
    assert.equal([...block], [1, 2, 3, 4])
  } finally {
    await bus.close()
  }
})

test('says so when no chip answers', async () => {
  const bus = await i2c.openPromisified(busNumber('SMBus stub'))
  try {
    const error = await bus.readByte(0x29, 0).then(
      () => undefined,
      (reason: NodeJS.ErrnoException) => reason,
    )
    assert.match(error?.message ?? 'no error', /ENXIO|EREMOTEIO|ENODEV/)
  } finally {
    await bus.close()
  }
})

test.run()
