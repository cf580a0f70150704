/** A lab's own page on the real hub, with a node of this process: what it may do works. */
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { frameIn, type LabPageStage, labPageStage } from './support/lab-page-stage.ts'

const test = suite('a lab’s own page', { timeoutMs: 120_000, hookTimeoutMs: 60_000, fileTimeoutMs: 500_000 })
let stage: LabPageStage

labPageStage(test, (given) => {
  stage = given
})

test('it moves the bench, hears what is read, knows the time, has the data, and ends the session', async () => {
  const { lab, ada, open, look } = stage
  const session = await open()
  const { page, context, complaints } = await look(ada)
  const frame = await frameIn(page)
  await frame.getByRole('button', { name: 'Put seven in' }).click()
  await frame.getByText('It holds 7.').waitFor()
  const found = await frame.evaluate(async () => {
    const session = await window.lab
    const before = session.timeLeft ?? 0
    await session.extend(60)
    const { 'box.value': read } = await session.read('box.value')
    return {
      before,
      read: read?.value,
      role: session.role,
      ready: session.ready,
      unit: session.signals['box.value']?.unit,
      language: session.language,
      csv: (await session.files.data('readings')).split('\n')[0],
      everything: JSON.stringify(session),
    }
  })
  assert.ok(found.before > 0 && found.before <= 120, `${found.before} s`)
  assert.equal([found.read, found.role, found.ready, found.unit, found.language], [7, 'owner', true, '1', 'en'])
  assert.match(found.csv ?? '', /box/)
  assert.not.match(found.everything, new RegExp(`Person|${ada.id}`))
  await frame.waitForFunction(async () => ((await window.lab).timeLeft ?? 0) > 121)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    frame.evaluate(async () => (await window.lab).files.download('readings')),
  ])
  assert.match(download.suggestedFilename(), /\.csv$/)
  // The frame goes with the session: nobody waits in it for the answer.
  await frame.evaluate(() => void window.lab.then((session) => session.finish()))
  await page.getByText('What was recorded').waitFor()
  const commands = await fetch(`${lab.hub.httpUrl}/api/v1/runs/${session.id}/data.csv?stream=commands`, {
    headers: ada.bearer,
  })
  assert.match(await commands.text(), /box\.value/)
  assert.equal(complaints, [])
  await context.close()
})

test('values that come fast go out as the last of them', async () => {
  const { ada, open, look } = stage
  await open()
  const { page, context } = await look(ada)
  const frame = await frameIn(page)
  await frame.evaluate(async () => {
    const session = await window.lab
    await Promise.all(Array.from({ length: 200 }, (_, i) => session.set('box.value', i)))
  })
  await frame.getByText('It holds 199.').waitFor()
  const refusal = await frame.evaluate(async () =>
    (await window.lab).set('box.other', 1).then(
      () => 'taken',
      ({ name, code }: { name: string; code: string }) => `${name} ${code}`,
    ),
  )
  assert.match(refusal, /^SessionError .*/)
  await context.close()
})

test('who looks on sees it move, and moves nothing', async () => {
  const { ada, staff, open, look } = stage
  await open()
  const { page: mine, context: own } = await look(ada)
  const { page, context } = await look(staff)
  const frame = await frameIn(page)
  const refusal = await frame.evaluate(async () => {
    const session = await window.lab
    const why = ({ code, message }: { code: string; message: string }) => `${code}: ${message}`
    return [
      session.role,
      String(session.ready),
      await session.set('box.value', 3).then(() => 'taken', why),
      await session.finish().then(() => 'taken', why),
    ]
  })
  assert.equal(refusal, [
    'observer',
    'false',
    'not-in-control: The controls are not yours now.',
    'forbidden: Only whose session it is may do this.',
  ])
  await (await frameIn(mine)).getByRole('button', { name: 'Put seven in' }).click()
  await frame.getByText('It holds 7.').waitFor()
  await own.close()
  await context.close()
})

test.run()
