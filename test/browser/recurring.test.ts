import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { type CronShape, shapeOf } from '../../hub/web/src/recurring/cron-shapes.ts'
import { cronOf, whenOf } from '../../hub/web/src/recurring/when.ts'
import { suite } from '../support/suite.ts'
import { comes, visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('runs that recur, on the page', { timeoutMs: 120_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

test('an expression is said as people say it, and is the same again afterwards', () => {
  const said = ['5 * * * *', '30 2 * * *', '0 14 * * MON-FRI', '15 4 * * 7', '0 */6 * * *', '0 3 1 * *', '30 2 * * 1,3']
  assert.equal(
    said.map((cron) => whenOf(cron).kind),
    ['hourly', 'daily', 'weekdays', 'weekly', 'own', 'own', 'own'],
  )
  assert.equal(
    said.map((cron) => cronOf(whenOf(cron))),
    said,
  )
  assert.is(whenOf('15 4 * * 0').weekday, 7)
})

test('the common shapes of expressions have words, and no other is misread', () => {
  const shapes: readonly (readonly [string, CronShape | undefined])[] = [
    ['*/15 * * * *', { kind: 'everyMinutes', count: 15 }],
    ['5 */6 * * *', { kind: 'everyHours', count: 6, minute: 5 }],
    ['30 8,20 * * *', { kind: 'atTimes', times: ['08:30', '20:30'] }],
    ['0 7 * * 1,WED', { kind: 'onDays', weekdays: [1, 3], at: '07:00' }],
    ['0 7 * * SAT,0', { kind: 'onDays', weekdays: [6, 7], at: '07:00' }],
    ['0 3 1 * *', { kind: 'monthly', day: 1, at: '03:00' }],
    ['0 3 24 DEC *', { kind: 'yearly', day: 24, month: 12, at: '03:00' }],
    ...[
      '*/7 * * * *',
      '0 */5 * * *',
      '*/15 8 * * *',
      '0 3 1 * MON',
      '0 3 L * *',
      '0 25 * * *',
      '0 3 1-5 * *',
      '* * *',
    ].map((cron) => [cron, undefined] as const),
  ]
  for (const [cron, shape] of shapes) assert.equal(shapeOf(cron), shape, cron)
})

test('from a lab’s page a run is made to recur, after a look at the times; then paused, changed and removed', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/labs/rc-circuit`)
  await page.getByRole('button', { name: 'Repeat…' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Name').fill('Every Monday')
  await dialog.getByLabel('How often').selectOption({ label: 'Every week' })
  await dialog.getByLabel('At', { exact: true }).fill('04:15')
  const times = dialog.getByRole('region', { name: 'Next times' }).getByRole('listitem')
  await times.first().getByText('4:15').or(times.first().getByText('04:15')).waitFor()
  await comes(() => times.count(), 5)
  await dialog.getByLabel('How often').selectOption({ label: 'By a cron expression' })
  await comes(() => dialog.getByLabel('Cron expression').inputValue(), '15 4 * * 1')
  await dialog.getByLabel('Cron expression').fill('61 4 * * 1')
  await dialog.getByText('That is not a time that recurs.').first().waitFor()
  await dialog.getByLabel('Cron expression').fill('15 4 * * 1,3')
  await dialog.getByText('That is every Monday and Wednesday at 04:15.').waitFor()
  await dialog.getByLabel('Not before').fill('2099-02-03T10:00')
  await times.first().getByText('2099').waitFor()
  await dialog.getByLabel('Bench').selectOption({ index: 1 })
  await dialog.getByLabel(/^Priority/).fill('0')
  await dialog.getByText('A whole number from 1 to 100, or nothing').waitFor()
  await dialog.getByLabel(/^Priority/).fill('7')
  await dialog.getByLabel('Cron expression').fill('15 4 * * 1')
  await dialog.getByRole('button', { name: 'Let it recur' }).click()
  await page.getByRole('heading', { name: 'Every Monday', level: 1 }).waitFor()
  await page.getByText('every Monday at 04:15 (Europe/Madrid)').waitFor()
  const facts = page.locator('dl')
  await facts.getByText('Bench', { exact: true }).waitFor()
  await facts.getByText('7', { exact: true }).waitFor()
  await facts.getByText(/2099/).waitFor()
  assert.is(await page.getByRole('link', { name: 'My runs' }).getAttribute('aria-current'), 'page')
  await page.getByRole('button', { name: 'Run now' }).click()
  await page.getByText('by hand').waitFor()
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByText('It is paused.').waitFor()
  await page.getByRole('button', { name: 'Resume' }).click()
  await page.getByRole('button', { name: 'Pause' }).waitFor()
  await page.getByRole('button', { name: 'Change' }).click()
  await comes(() => dialog.getByLabel('How often').inputValue(), 'weekly')
  await dialog.getByLabel('How often').selectOption({ label: 'Every day' })
  await dialog.getByRole('button', { name: 'Save' }).click()
  await page.getByText('every day at 04:15 (Europe/Madrid)').waitFor()
  await page.getByRole('button', { name: 'Remove' }).click()
  await dialog.getByRole('button', { name: 'Remove' }).click()
  await page.waitForURL(`${hub.url}/recurring`)
  await page.getByRole('link', { name: 'Nightly calibration' }).waitFor()
  assert.is(await page.getByRole('link', { name: 'Every Monday' }).count(), 0)
  assert.equal([...complaints], [])
  await context.close()
})

test('the list tells the next time and what came of the last; its page says why one was refused', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/runs`)
  await page.getByRole('link', { name: 'Recurring runs' }).click()
  await page.getByText('every day at 02:30 (Europe/Madrid)').waitFor()
  await page.getByText('every 6 hours, 0 min past').waitFor()
  await page.getByRole('link', { name: 'Nightly calibration' }).click()
  await page.getByText('No bench can run this lab at the moment.').waitFor()
  await page.getByText('2 times before were missed').waitFor()
  await page.goto(`${hub.url}/recurring/monitoring`)
  await page.getByText('refused five times in a row').waitFor()
  // Of somebody else's, staff see all, and change nothing of what it does.
  await page.getByRole('button', { name: 'Resume' }).waitFor()
  assert.is(await page.getByRole('button', { name: 'Run now' }).count(), 0)
  assert.is(await page.getByRole('button', { name: 'Change' }).count(), 0)
  await page.goto(`${hub.url}/recurring/none`)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await context.close()
})

test('the bench that a run asked for is shown, and let go when any will do', async () => {
  const { page, context } = await visit(browser)
  const { run } = hub.addRun({ wantedBench: 'demo.rc-1' })
  await page.goto(`${hub.url}/runs/${run.id}`)
  await page.getByRole('button', { name: 'Repeat…' }).click()
  const bench = page.getByRole('dialog').getByLabel('Bench')
  await comes(() => bench.inputValue(), 'demo.rc-1')
  await bench.selectOption('')
  const [request] = await Promise.all([
    page.waitForRequest((one) => one.method() === 'POST' && one.url().endsWith('/api/v1/recurring')),
    page.getByRole('button', { name: 'Let it recur' }).click(),
  ])
  assert.is(request.postDataJSON().bench, undefined)
  assert.is(request.postDataJSON().lab, run.lab)
  await page.waitForURL(/\/recurring\//)
  await context.close()
})

test('a run leads to what made it, and to a repetition of its own', async () => {
  const { page, context } = await visit(browser, { language: 'es' })
  const run = hub.addRun({ recurring: 'calibration', note: 'Nightly calibration' })
  for (let i = 0; i < 53; i++) run.advance()
  await page.goto(`${hub.url}/runs/${run.run.id}`)
  await page.getByRole('button', { name: 'Repetir…' }).click()
  await page.getByRole('dialog').getByLabel('Cada cuánto').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('link', { name: 'Nightly calibration' }).click()
  await page.getByText('cada día a las 02:30 (Europe/Madrid)').waitFor()
  await context.close()
})

test.run()
