import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { promisify } from 'node:util'
import * as assert from 'uvu/assert'
import { runCommand } from '../../support/command.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a new driver, as who makes it types it', { timeoutMs: 240_000, fileTimeoutMs: 900_000 })
const run = promisify(execFile)
let scratch = ''

test.before(async () => {
  scratch = await mkdtemp(join(tmpdir(), 'fernlab-new-driver-'))
})
test.after(() => rm(scratch, { recursive: true, force: true }))

const fernlab = (...args: string[]) =>
  runCommand(process.execPath, [join(root, 'scripts/cli/fernlab.mjs'), ...args], { env: { PATH: process.env.PATH } })

/** The oven behind a serial port, until it is pulled out. */
async function plugIn(): Promise<{ port: string; oven: ChildProcess }> {
  const oven = spawn('python3', [join(root, 'test/support/new-drivers/oven.py'), join(scratch, 'in-python')], {
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  const [port = ''] = await new Promise<string[]>((resolve, reject) => {
    createInterface(oven.stdout).once('line', (line) => resolve([line]))
    oven.once('error', reject)
    oven.once('exit', (code) => reject(new Error(`the oven ended with ${code}`)))
  })
  return { port, oven }
}

async function unplug(oven: ChildProcess): Promise<void> {
  const gone = new Promise((resolve) => oven.once('exit', resolve))
  oven.stdin?.end()
  await gone
}

const languages = {
  // The oven on a serial port is this one's.
  python: async () => {},
  typescript: async () => {},
  c: async (folder: string) => {
    await run('make', ['-C', folder, 'CFLAGS=-std=c99 -Wall -Wextra -Werror -O2'])
  },
}

for (const [language, build] of Object.entries(languages)) {
  const folderOf = () => join(scratch, `in-${language}`)

  test(`in ${language} passes its test, emulated`, async () => {
    const made = await fernlab('driver', 'new', folderOf(), '--language', language)
    assert.is(made.code, 0, made.err)
    await build(folderOf())
    const { code, out, err } = await fernlab('driver', 'test', folderOf())
    assert.is(code, 0, `${out}${err}`)
    assert.match(out, /signal power: W, number, read-set, 0 to 40\n {2}signal temperature: Cel, number, read\n/)
    assert.match(out, /\n {2}ok {4}reads what it was set to\n/)
    assert.match(out, /\n10 passed, 0 failed, 2 not for this one\nnot tried: bench; --on bench does that\n$/)
  })

  test(`in ${language} passes its test on a serial port`, async () => {
    const { port, oven } = await plugIn()
    try {
      const file = join(folderOf(), 'driver-test.yaml')
      await writeFile(file, (await readFile(file, 'utf8')).replace('/dev/ttyUSB0', port))
      const { code, out, err } = await fernlab('driver', 'test', folderOf(), '--on', 'bench')
      assert.is(code, 0, `${out}${err}`)
      assert.match(out, /\n10 passed, 0 failed/)
    } finally {
      await unplug(oven)
    }
  })

  test(`in ${language} says why a port can not be opened`, async () => {
    const { code, out, err } = await fernlab('driver', 'test', folderOf(), '--on', 'bench')
    assert.equal([code, out], [1, ''])
    assert.match(err, /^fernlab: tested.*(No such file or directory|cannot be opened: it is not there)/)
  })
}

test('one that breaks a rule fails, with the rule, why, and what it printed', async () => {
  const file = join(scratch, 'in-python/driver.py')
  const text = await readFile(file, 'utf8')
  await writeFile(file, text.replace('self.tell(f"POWER {watts:.9g}")', 'print("not today")'))
  const { code, out, err } = await fernlab('driver', 'test', join(scratch, 'in-python'))
  assert.is(code, 1)
  assert.match(out, / {2}FAIL {2}reads what it was set to\n {8}power was set to 2\.5, and reads 0\n {8}\| not today\n/)
  assert.match(out, /\n7 passed, 3 failed, 2 not for this one\n/)
  assert.match(err, /in-python breaks 3 of 12 rules of a driver/)
  await writeFile(file, text.replace('import os', 'import oss'))
  const wrong = await fernlab('driver', 'test', join(scratch, 'in-python'))
  assert.is(wrong.code, 1)
  assert.match(wrong.err, /exited with code 1: ModuleNotFoundError: No module named 'oss'/)
  assert.is(wrong.out, '')
})

test('with --json it is one document', async () => {
  const { code, out } = await fernlab('driver', 'test', join(scratch, 'in-c'), '--json')
  assert.is(code, 0)
  const { on, others, spec, outcomes } = JSON.parse(out)
  assert.equal([on, others, spec.model, outcomes.length], ['emulated', ['bench'], 'in-c', 12])
  assert.equal([...new Set(outcomes.map((each: { outcome: string }) => each.outcome))], ['passed', 'not-for-this-one'])
})

test.run()
