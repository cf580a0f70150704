import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { asLabError, type LabError } from '@fernlab/shared/primitives/lab-error'
import type { Context } from 'fernlab/cli/context'
import { nameNew, type SaveWholeOptions, saveWhole } from 'fernlab/cli/download'
import { whileSaving } from 'fernlab/cli/interrupt'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what the command line saves')
let folder = ''
const unless = new AbortController().signal
const ifTaken = 'Name another.'

test.before.each(() => {
  folder = mkdtempSync(join(tmpdir(), 'fernlab-download-'))
})
test.after.each(() => rmSync(folder, { recursive: true, force: true }))

const inFolder = (name: string) => join(folder, name)
const save = (answer: Response, name: string, more: Partial<SaveWholeOptions> = {}) =>
  saveWhole(answer, { path: inFolder(name), overwrite: false, signal: unless, ifTaken, ...more })
const refusal = (done: Promise<unknown>): Promise<LabError> =>
  done.then(() => {
    throw new Error('it is not refused')
  }, asLabError)

test('is there whole, with every byte counted', async () => {
  const told: number[] = []
  const bytes = await save(new Response('x'.repeat(100_000)), 'a', { secret: true, onProgress: (n) => told.push(n) })
  assert.equal([bytes, told.at(-1), statSync(inFolder('a')).size], [100_000, 100_000, 100_000])
  assert.is(statSync(inFolder('a')).mode & 0o077, 0)
  assert.equal(readdirSync(folder), ['a'])
})

test('leaves nothing behind when it is interrupted', async () => {
  let interrupt: (signal: NodeJS.Signals) => void = () => {}
  let handlers = 0
  const context = {
    onInterrupt: (handler: typeof interrupt) => {
      interrupt = handler
      handlers++
      return () => handlers--
    },
  } as unknown as Context
  const body = new ReadableStream({ start: (stream) => stream.enqueue(new TextEncoder().encode('half')) })
  const onProgress = () => {
    assert.match(readdirSync(folder).join(), /^a\.\d+\.part$/)
    interrupt('SIGINT')
  }
  const saving = whileSaving(context, (signal) => save(new Response(body), 'a', { signal, onProgress }))
  assert.is((await refusal(saving)).code, 'interrupted-by-person')
  assert.equal([readdirSync(folder), handlers], [[], 0])
})

test('leaves nothing behind when the connection is lost, and says so', async () => {
  const body = new ReadableStream({
    pull: (stream) => stream.error(new TypeError('terminated')),
  })
  const { code, kind } = await refusal(save(new Response(body), 'a'))
  assert.equal([code, kind, readdirSync(folder)], ['connection-lost', 'link', []])
})

test('is refused before anything comes where the name is taken', async () => {
  writeFileSync(inFolder('a'), 'mine')
  let cancelled = false
  const body = new ReadableStream({
    cancel: () => {
      cancelled = true
    },
  })
  const { code, message } = await refusal(save(new Response(body), 'a'))
  assert.equal([code, cancelled, readdirSync(folder)], ['file-exists', true, ['a']])
  assert.match(message, /a is there already\n +Name another\./)
  await save(new Response('theirs'), 'a', { overwrite: true })
  assert.is(readFileSync(inFolder('a'), 'utf8'), 'theirs')
})

test('says what the disk refuses as a mistake, not as a fault of the program', async () => {
  writeFileSync(inFolder('a'), '')
  for (const [name, code] of [
    ['none/b', 'ENOENT'],
    ['a/b', 'ENOTDIR'],
  ] as const) {
    const error = await refusal(save(new Response('x'), name))
    assert.equal([error.code, error.kind], ['file', 'caller'])
    assert.match(error.message, `can't be written (${code})`)
  }
})

test('is copied where the file system has no hard links, and replaces nothing then either', async () => {
  const tie = () => Promise.reject(Object.assign(new Error('no'), { code: 'EPERM' }))
  writeFileSync(inFolder('part'), 'whole')
  await nameNew(inFolder('part'), inFolder('a'), ifTaken, tie)
  assert.is(readFileSync(inFolder('a'), 'utf8'), 'whole')
  writeFileSync(inFolder('a'), 'mine')
  assert.is((await refusal(nameNew(inFolder('part'), inFolder('a'), ifTaken, tie))).code, 'file-exists')
  assert.is(readFileSync(inFolder('a'), 'utf8'), 'mine')
})

test.run()
