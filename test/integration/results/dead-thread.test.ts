/** The thread of the results dies while a reader has what was asked for so far. */
import type { Worker } from 'node:worker_threads'
import { createResults, type Results } from '@fernlab/hub/results/results'
import type { NodeDocument } from '@fernlab/shared/contracts/documents'
import { systemClock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { documentsOf, storeDocuments, storeRun, temporaryStore } from './stored-run.ts'

const test = suite('a thread of the results that dies', { timeoutMs: 60_000 })
let opened: Awaited<ReturnType<typeof temporaryStore>>
let results: Results
let thread: Worker | undefined
const onWorker = (worker: Worker) => {
  thread = worker
}

test.before(async () => {
  opened = await temporaryStore()
  process.on('worker', onWorker)
})
test.after(async () => {
  process.off('worker', onWorker)
  await opened.close()
})
test.before.each(() => {
  thread = undefined
  results = createResults({ store: opened.store, site: 'here', clock: systemClock })
})
test.after.each(() => results.close())

async function die(): Promise<void> {
  assert.ok(thread, 'it was started')
  await thread.terminate()
}

/** What came before the end, and why it broke. */
async function read(source: AsyncIterable<Uint8Array>): Promise<{ text: string; broke?: string }> {
  let text = ''
  try {
    for await (const piece of source) text += Buffer.from(piece).toString()
  } catch (error) {
    return { text, broke: (error as LabError).code }
  }
  return { text }
}

test('breaks a download that is read slowly, which does not end as if it were whole', async () => {
  const run = await storeRun(opened.store)
  await storeDocuments(opened.store, [...documentsOf(run, { pages: 12, rowsPerPage: 5000 })])
  const source = await results.csv(run, { time: 'epoch' })
  await source.next()
  await die()
  assert.is((await read(source)).broke, 'conversion-failed')
  const again = await read(await results.csv(run, { time: 'epoch' }))
  assert.is(again.broke, undefined, 'the next is made by another thread')
  assert.is(again.text.trimEnd().split('\n').length, 1 + 12 * 5000)
})

test('loses no document of an attempt that is followed: nothing of it is in the thread while it is quiet', async () => {
  const run = await storeRun(opened.store, { state: 'running' })
  const all = [...documentsOf(run, { pages: 4, rowsPerPage: 20 })]
  const stored = async (documents: readonly NodeDocument[]) => storeDocuments(opened.store, documents)
  await stored(all.slice(0, 3))
  let turn = 0
  const more = async () => {
    turn += 1
    if (turn > 1) return 'end'
    await die()
    await stored(all.slice(3))
    return 'news'
  }
  const first = await read(await results.documents(run, 1, { more }))
  assert.ok(turn > 0, 'it died while the attempt was quiet')
  const taken = first.text.split('\n').filter((line) => line !== '')
  assert.equal([first.broke, taken.length], [undefined, all.length])
  const whole = await read(await results.documents(run, 1))
  assert.is(first.text.trimStart(), whole.text)
  assert.is(whole.text.trimEnd().split('\n').length, all.length)
})

test.run()
