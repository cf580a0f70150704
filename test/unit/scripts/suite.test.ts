import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import * as assert from 'uvu/assert'
// @ts-expect-error plain JavaScript without declarations
import { runFile } from '../../../scripts/test/run-file.mjs'
import { suite } from '../../support/suite.ts'

interface Outcome {
  readonly passed: number
  readonly skips: readonly { readonly test: string }[]
  readonly failures: readonly { readonly test: string; readonly error: string }[]
}

const root = fileURLToPath(new URL('../../../', import.meta.url))
const test = suite('suite and runner', { timeoutMs: 30_000 })
let reportFolder = ''

test.before(() => {
  reportFolder = mkdtempSync(join(tmpdir(), 'fernlab-suite-'))
})
test.after(() => rmSync(reportFolder, { recursive: true, force: true }))

const run = (fixture: string, limitMs = 20_000): Promise<Outcome> =>
  runFile({ root, file: `test/support/fixtures/${fixture}.ts`, reportFolder, limitMs })

test('counts what passed and names what failed', async () => {
  const outcome = await run('one-passes-one-fails')
  assert.is(outcome.passed, 1)
  assert.equal(
    outcome.failures.map((failure) => failure.test),
    ['fails'],
  )
})

test('by hand, a file with a failure exits with 1, whatever was thrown', () => {
  const conditions = ['--import', import.meta.resolve('tsx'), '--conditions=source']
  const { status, stdout } = spawnSync(process.execPath, [...conditions, 'test/support/fixtures/lab-error.ts'], {
    cwd: root,
    encoding: 'utf8',
  })
  assert.is(status, 1)
  assert.match(stdout, /FAIL[\s\S]*as it should/)
})

test('fails a test by name at its limit, and runs the next one', async () => {
  const outcome = await run('too-slow')
  assert.is(outcome.passed, 1)
  assert.is(outcome.failures[0]?.test, 'never ends')
  assert.match(outcome.failures[0]?.error ?? '', /did not finish within 50 ms/)
})

test('fails every test after a before hook that throws', async () => {
  const outcome = await run('before-throws')
  assert.is(outcome.passed, 0)
  assert.is(outcome.failures.length, 2)
})

test('fails the file whose after hook throws', async () => {
  const outcome = await run('after-throws')
  assert.is(outcome.passed, 1)
  assert.match(outcome.failures[0]?.error ?? '', /the bench was left on/)
})

test('fails a file that forgets run(), and one without a test', async () => {
  assert.match((await run('no-run')).failures[0]?.error ?? '', /run\(\) was not called/)
  assert.match((await run('no-test')).failures[0]?.error ?? '', /runs no test/)
  assert.match((await run('no-suite')).failures[0]?.error ?? '', /runs no test/)
})

test('fails a skip that is not listed', async () => {
  const outcome = await run('unlisted-skip')
  assert.is(outcome.skips.length, 0)
  assert.match(outcome.failures[0]?.error ?? '', /is not in test\/support\/skips\.json/)
})

test('fails a file that holds test.only', async () => {
  assert.match((await run('only')).failures[0]?.error ?? '', /leaves the other tests out/)
})

test('names the test during which the process died or was killed', async () => {
  const died = await run('dies')
  assert.equal([died.passed, died.failures[0]?.test], [0, 'dies'])
  const blocked = await run('blocks', 3_000)
  assert.is(blocked.failures[0]?.test, 'blocks')
  assert.match(blocked.failures[0]?.error ?? '', /killed: did not finish within 3 s/)
})

test('fails a file that leaves a socket open or a process running', async () => {
  assert.match((await run('leaves-server')).failures[0]?.error ?? '', /left TCPServerWrap open|left .*TCP.* open/i)
  assert.match((await run('leaves-process')).failures[0]?.error ?? '', /left a process running/)
})

test('exits non-zero by hand as well', () => {
  const byHand = spawnSync(
    process.execPath,
    ['--import', 'tsx', '--conditions=source', 'test/support/fixtures/no-run.ts'],
    { cwd: root },
  )
  assert.is(byHand.status, 1)
})

test.run()
