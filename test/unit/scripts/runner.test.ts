/** `npm test` as a program: it runs here on small projects, with the real runner and steps that only say that they ran. */
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import * as assert from 'uvu/assert'
import { type Ended, runCommand } from '../../support/command.ts'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the runner', { timeoutMs: 60_000 })
let folder = ''

test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'fernlab-runner-'))
  for (const part of ['scripts/test', 'scripts/install', 'test/support/suite.ts', 'test/support/long.ts']) {
    cpSync(join(root, part), join(folder, part), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'))
  write({
    'package.json': '{ "type": "module" }',
    'package-lock.json': '{ "packages": {} }',
    'scripts/test/debian.json': '{}',
    'scripts/check/check.mjs': "console.log('THE CHECK')",
    'scripts/build/build.mjs': "console.log('THE BUILD')",
    'test/support/skips.json': '[]',
  })
})
test.after.each(() => rmSync(folder, { recursive: true, force: true }))

function write(files: Readonly<Record<string, string>>): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(join(folder, dirname(path)), { recursive: true })
    writeFileSync(join(folder, path), text)
  }
}

const testFile = (...lines: readonly string[]) =>
  ["import { suite } from '../support/suite.ts'", "const test = suite('fixture')", ...lines, 'test.run()'].join('\n')
const passing = testFile("test('passes', () => {})")
const failing = testFile("test('fails', () => { throw new TypeError('as it should') })")

/** Without apt-get on its path, so that nothing is installed. */
async function npmTest(args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const { CI: _, ...inherited } = process.env
  const ended: Ended = await runCommand(process.execPath, [join(folder, 'scripts/test/test.mjs'), ...args], {
    env: { ...inherited, PATH: join(folder, 'bin'), ...env },
  })
  return { ...ended, totals: ended.out.trimEnd().split('\n').at(-1) }
}

test('runs the file that boots a guest machine for a filter that names one of the guest’s files, and tells it', async () => {
  write({
    'test/kernel/machine.test.ts': testFile(
      "test('guests: ' + process.env.FERNLAB_GUESTS, () => { throw new Error() })",
    ),
    'test/kernel/machine/pins.guest.ts': failing,
    'test/kernel/other.test.ts': failing,
  })
  const { out, totals } = await npmTest(['kernel/machine/pins'])
  assert.is(totals, '0 passed, 1 failed, 0 skipped', out)
  assert.match(out, /guests: kernel\/machine\/pins/)
})

test('checks first, then runs every file; ends 0 with real totals when all is well', async () => {
  write({ 'test/unit/a.test.ts': passing, 'test/architecture/b.test.ts': passing })
  const { code, out, totals } = await npmTest()
  assert.is(totals, '2 passed, 0 failed, 0 skipped', out)
  assert.is(code, 0)
  const at = ['THE CHECK', 'test/unit/a.test.ts', 'test/architecture/b.test.ts'].map((text) => out.indexOf(text))
  assert.ok((at[0] ?? -1) >= 0, out)
  assert.equal(
    at,
    at.toSorted((a, b) => a - b),
  )
  assert.not.match(out, /THE BUILD/)
})

test('a failure, or a file that ends badly, ends it with 1 and is named below the totals of the rest', async () => {
  write({ 'test/unit/a.test.ts': passing, 'test/unit/b.test.ts': failing, 'test/unit/c.test.ts': 'process.exit(3)' })
  const { code, out, totals } = await npmTest()
  assert.is(totals, '1 passed, 2 failed, 0 skipped', out)
  assert.is(code, 1)
  assert.match(out, /FAILED test\/unit\/b\.test\.ts: fails\n +TypeError: as it should/)
  assert.match(out, /FAILED test\/unit\/c\.test\.ts: \(file\)\n +the process ended with exit code 3/)
})

test('a check or a build that fails is a failure, and the tests run all the same', async () => {
  const fails = 'process.exitCode = 1'
  write({ 'test/integration/a.test.ts': passing, 'scripts/check/check.mjs': fails, 'scripts/build/build.mjs': fails })
  const { code, out, totals } = await npmTest()
  assert.is(totals, '1 passed, 2 failed, 0 skipped', out)
  assert.is(code, 1)
  assert.match(out, /npm run check failed/)
  assert.match(out, /npm run build failed/)
})

test('nothing run is a failure', async () => {
  const none = await npmTest()
  assert.equal([none.code, none.totals], [1, '0 passed, 0 failed, 0 skipped'], none.out)
  assert.match(none.out, /nothing was run/)
  write({ 'test/unit/a.test.ts': passing })
  const filtered = await npmTest(['no-such-file'])
  assert.equal([filtered.code, filtered.totals], [1, '0 passed, 0 failed, 0 skipped'], filtered.out)
})

test('with a filter, only what matches runs, without the check', async () => {
  write({ 'test/unit/a.test.ts': passing, 'test/unit/b.test.ts': failing })
  const { code, out, totals } = await npmTest(['unit/a'])
  assert.equal([code, totals], [0, '1 passed, 0 failed, 0 skipped'], out)
  assert.not.match(out, /THE CHECK/)
})

test('a listed skip is counted and told with its reason', async () => {
  const skip = { file: 'test/unit/a.test.ts', test: 'left out', reason: 'needs the moon' }
  write({
    'test/unit/a.test.ts': testFile("test('passes', () => {})", "test.skip('left out', 'needs the moon')"),
    'test/support/skips.json': JSON.stringify([skip]),
  })
  const { code, out, totals } = await npmTest()
  assert.equal([code, totals], [0, '1 passed, 0 failed, 1 skipped'], out)
  assert.match(out, /skipped test\/unit\/a\.test\.ts: left out: needs the moon/)
})

test('a file whose Debian package is missing is skipped with that reason; with CI=true that is a failure', async () => {
  write({
    'test/unit/a.test.ts': passing,
    'test/unit/b.test.ts': failing,
    'scripts/test/debian.json': JSON.stringify({ moonlight: { command: 'no-such-command', for: ['test/unit/b'] } }),
  })
  const { code, out, totals } = await npmTest()
  assert.equal([code, totals], [0, '1 passed, 0 failed, 1 skipped'], out)
  assert.match(out, /cannot install moonlight: this system has no apt-get/)
  assert.match(out, /skipped test\/unit\/b\.test\.ts: \(file\): needs moonlight\n/)
  const strict = await npmTest([], { CI: 'true' })
  assert.equal([strict.code, strict.totals], [1, '1 passed, 1 failed, 0 skipped'], strict.out)
  assert.match(strict.out, /FAILED test\/unit\/b\.test\.ts: \(file\)\n +skipped with CI=true: needs moonlight/)
})

test.run()
