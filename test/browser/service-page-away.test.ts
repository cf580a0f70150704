/// <reference lib="dom" />
import { join } from 'node:path'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { daemonVerb } from '@fernlab/shared/programs/daemon-verbs'
import type { Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { barriersOn } from './support/barriers.ts'
import { comes } from './support/browser.ts'
import { openService, type ServiceStage, serviceStage, signalOf } from './support/service-stage.ts'

const test = suite('the page of a service that is away', {
  timeoutMs: 120_000,
  hookTimeoutMs: 90_000,
  fileTimeoutMs: 300_000,
})
let staged: ServiceStage

serviceStage(test, (given) => {
  staged = given
})

const asked = () => ({
  daemons: ['tools'],
  dataFolder: join(staged.folder, 'data'),
  node: undefined,
  json: false,
  lines: 1,
  follow: false,
  exportTo: undefined,
  reason: '',
  nodeFile: '',
  clock: systemClock,
  out: () => {},
  signal: AbortSignal.timeout(60_000),
})
const daemon = (verb: 'up' | 'down') => daemonVerb(verb, asked())

const pidOfTools = async (): Promise<number> => {
  const said: string[] = []
  await daemonVerb('ps', { ...asked(), json: true, out: (line: string) => said.push(line) })
  const pid = Number(/"pid":\s*(\d+)/.exec(said.join(''))?.[1])
  assert.ok(pid > 1, said.join(''))
  return pid
}

/** The page polls every two seconds: so long a machine takes for that which has much to do. A seldom knock is a minute. */
const soonMs = 15_000

const work = (page: Page) => page.getByRole('button', { name: /^(Take|Call|Set) / })
/** At one moment: a button that was looked up may be gone by the time that it is asked. */
const offered = (page: Page) =>
  work(page).evaluateAll((buttons) =>
    buttons.flatMap((button) => ((button as HTMLButtonElement).disabled ? [] : [button.textContent])),
  )
const volume = async (page: Page) => Number(await signalOf(page, 'Volume').locator('b').textContent())

test('of a daemon that is stopped it says so by itself, offers nothing, and goes on once it is back', async () => {
  const { page, context, complaints } = await openService(staged, staged.ada, 'bell')
  await comes(() => volume(page), 32)
  await comes(() => offered(page), ['Take it', 'Set', 'Call'])
  const refused: string[] = []
  page.on('response', (answer) => {
    if (answer.status() === 404) refused.push(answer.url())
  })
  await daemon('down')
  await page.getByText('It is not in the directory now.').waitFor({ timeout: soonMs })
  assert.match((await page.getByText('gone', { exact: true }).textContent()) ?? '', /gone/)
  await page.getByText('Its daemon tools was stopped').waitFor()
  await page.getByText('fernlab daemon up tools', { exact: true }).waitFor()
  assert.equal(await offered(page), [])
  assert.is(await page.getByText('Looking for the nearest way').count(), 0)
  assert.equal(await barriersOn(page), [])
  // Asked for again and again it would fill the console.
  await page.waitForTimeout(6000)
  assert.is(refused.length, 1, refused.join(' '))

  const again = await openService(staged, staged.bo, 'bell', { phone: true, scheme: 'dark', language: 'es-ES' })
  await again.page.getByText('pi no tiene ahora ningún servicio de ese nombre.').waitFor()
  await again.page.getByText('fernlab daemon ps', { exact: true }).waitFor()
  assert.equal(await barriersOn(again.page), [])

  await daemon('up')
  for (const one of [page, again.page]) await comes(() => volume(one), 32)
  await comes(() => offered(page), ['Take it', 'Set', 'Call'])
  assert.equal([...complaints, ...again.complaints], [])
  await context.close()
  await again.context.close()
})

test('of a daemon that hangs it says that it waits, shows what was read as old, and goes on once it answers', async () => {
  const { page, context, complaints } = await openService(staged, staged.ada, 'bell')
  await comes(() => volume(page), 32)
  const old = signalOf(page, 'Volume').getByText('as last read')
  assert.is(await old.count(), 0)
  await page.getByText('It answers in').waitFor()
  await page.getByText('Admins and instructors see it.').waitFor()
  const pid = await pidOfTools()
  process.kill(pid, 'SIGSTOP')
  try {
    await page.getByText('It has not answered for some seconds').waitFor({ timeout: 15_000 })
    await old.waitFor()
    assert.is(await page.getByText('It answers in').count(), 0)
    assert.is(await volume(page), 32)
    assert.equal(await barriersOn(page), [])
    await page
      .getByText(/It is not read: (there was no answer in time\. The page goes on|it does not answer)/)
      .waitFor()
    assert.is(await page.getByText('Look at what is before you repeat it').count(), 0)
  } finally {
    process.kill(pid, 'SIGCONT')
  }
  await old.waitFor({ state: 'detached', timeout: 30_000 })
  await page.getByText('It answers in').waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('of a node that is away it says since when, offers nothing, knocks seldom, and goes on once it is back at another port', async () => {
  await staged.stopNode()
  const { page, context } = await openService(staged, staged.ada, 'diode.psu')
  await page.getByText(/^Last heard of .*Its node is not connected\.$/).waitFor()
  await page
    .getByText('It is not reached now. The page goes on by itself once pi is back.')
    .waitFor({ timeout: soonMs })
  await page.getByText('Its node pi is not connected').waitFor()
  assert.is(await page.getByText('Looking for the nearest way').count(), 0)
  assert.is(await page.getByText('without being taken').count(), 0)
  assert.equal(await offered(page), [])
  assert.equal(await barriersOn(page), [])
  // A browser makes a page wait for seconds that has opened many links in vain.
  const opened: string[] = []
  page.on('websocket', (socket) => opened.push(socket.url()))
  await page.waitForTimeout(15_000)
  assert.equal(opened, [])

  await staged.startNode()
  await comes(async () => (await staged.lab.call('/api/v1/directory?state=gone')).text(), '{"items":[]}')
  await page.getByText('Straight to the node, over a WebSocket.').waitFor({ timeout: soonMs })
  await comes(() => offered(page), ['Take its bench'])
  await page.getByRole('button', { name: 'Take its bench' }).click()
  await page.getByText('You have the bench pi.diode with all its parts').waitFor()
  await comes(() => offered(page), ['Set', 'Set'])
  await context.close()
})

test.run()
