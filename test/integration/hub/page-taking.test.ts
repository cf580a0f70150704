/** A bench that a page takes, whose answers are lost, beside a program of the same person. */
import { AskedHold } from '@fernlab/shared/clients/typescript/asked-hold'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { openApi } from '../../../hub/web/src/api/client.ts'
import { pageDirectory } from '../../../hub/web/src/services/page-directory.ts'
import { suite } from '../../support/suite.ts'
import { startTestHub, type TestHub } from './hub-with-node.ts'

const test = suite('a bench that a page takes', { timeoutMs: 30_000 })
let lab: TestHub
/** What becomes of what the page asks: it does not arrive, or its answer does not. */
let link: 'good' | 'away' | 'answers are lost'
const id = 'shared.b-1'
const lease = `/api/v1/benches/${id}/lease`

test.before(async () => {
  lab = await startTestHub()
  await lab.node('shared')
})
test.before.each(() => {
  link = 'good'
})
test.after(() => lab.close())

const fromPage: typeof fetch = async (path, init) => {
  if (link === 'away') throw new TypeError('fetch failed')
  const answer = await lab.call(String(path), init)
  if (link === 'answers are lost') throw new TypeError('fetch failed')
  return answer
}
const pageTaking = () => {
  const api = openApi({ reachability: { answered: () => {}, silent: () => {} }, fetch: fromPage })
  return new AskedHold({ directory: pageDirectory({ api, onHold: () => {} }), bench: id, reason: '', clock })
}
const program = {
  take: async () => {
    const answer = await lab.call(lease, { method: 'POST', json: { ttlS: 60 } })
    assert.is(answer.status, 200, await answer.clone().text())
    return ((await answer.json()) as { lease: string }).lease
  },
  has: async (held: string) => (await lab.call(lease, { method: 'POST', json: { ttlS: 60, lease: held } })).status,
  giveBack: (held: string) => lab.call(`${lease}?lease=${held}`, { method: 'DELETE' }),
}
const isTaken = async () => ((await (await lab.call(`/api/v1/benches/${id}`)).json()) as { leased: boolean }).leased
const codeOf = (work: Promise<unknown>) =>
  work.then(
    () => assert.unreachable() as never,
    ({ code }: LabError) => code,
  )

test('what a program of the same person has stands where the page asked in vain and gives back', async () => {
  const held = await program.take()
  const taking = pageTaking()
  link = 'away'
  assert.is(await codeOf(taking.take()), 'hub-unreachable')
  assert.is(await codeOf(taking.giveBack()), 'hub-unreachable')
  link = 'good'
  await taking.giveBack()
  assert.is(await program.has(held), 200)

  // The page was told nothing of what it went on with.
  const again = pageTaking()
  link = 'answers are lost'
  assert.is(await codeOf(again.take()), 'hub-unreachable')
  link = 'good'
  await again.giveBack()
  assert.is(await program.has(held), 200)
  assert.ok((await program.giveBack(held)).ok)
})

test('what the page itself has taken without a word of it is given back', async () => {
  const taking = pageTaking()
  link = 'answers are lost'
  assert.is(await codeOf(taking.take()), 'hub-unreachable')
  assert.is(await isTaken(), true)
  link = 'good'
  await taking.giveBack()
  assert.is(await isTaken(), false)
})

test('who has the bench already goes on with it, as after the page was loaded anew', async () => {
  const held = await program.take()
  const taking = pageTaking()
  assert.equal(await taking.take(), { lease: held, isResumed: true })
  await taking.giveBack()
  assert.is(await program.has(held), 200)
  assert.ok((await program.giveBack(held)).ok)
})

test.run()
