import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import * as assert from 'uvu/assert'
import { hostPrograms } from '../../support/firmware/host-board.ts'
import { cases } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the C library of the firmware link', { timeoutMs: 120_000, fileTimeoutMs: 180_000 })
const programs = hostPrograms()
const run = async (program: string, ...args: string[]) =>
  JSON.parse((await promisify(execFile)(program, args)).stdout) as unknown

test.after(() => programs.remove())

test('takes no frame that was not sent of 10 million broken and random ones, and every good one among them', async () => {
  const frames = cases(10_000_000)
  const fuzz = await programs.compile('fuzz')
  assert.equal(await run(fuzz, String(frames), '1'), { taken: frames / 1000, lost: 0, wrong: 0 })
})

test('reads and writes nothing outside of its memory, whatever comes', async () => {
  const fuzz = await programs.compile('fuzz', '-g', '-fsanitize=address,undefined', '-fno-sanitize-recover=all')
  assert.equal(await run(fuzz, '300000', '2'), { taken: 300, lost: 0, wrong: 0 })
})

test.run()
