import type { Browser } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { comes, visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('a session that makes room, or gets another bench', { timeoutMs: 120_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

test('who is bumped is told when, is offered no more time, and has the rest of it next', async () => {
  const session = hub.addSession()
  const { page, context, complaints } = await visit(browser, { phone: true, scheme: 'dark' })
  await page.goto(`${hub.url}/sessions/${session.session.id}`)
  await page.getByRole('button', { name: '5 min more' }).waitFor()
  const bumpedAt = new Date(Date.now() + 300_000).toISOString()
  session.become({ bumpedAt, endsAt: bumpedAt })
  const notice = page.getByRole('alert').filter({ hasText: 'A booking needs this bench' })
  await notice.getByText(/^A booking needs this bench: your time ends at \d\d:\d\d/).waitFor()
  await notice.getByText('the rest of your time is next in line for a bench').waitFor()
  await page.getByText(/^0[45]:\d\d left$/).waitFor()
  assert.is(await page.getByRole('button', { name: '5 min more' }).count(), 0)

  const rest = hub.addSession({ state: 'waiting', position: 1, seconds: 240 })
  session.become({
    state: 'closed',
    endedAt: bumpedAt,
    next: rest.session.id,
    reason: 'we are sorry: the bench was booked; what was recorded is kept, and the rest of your time is next in line',
  })
  await page.getByText(/^We are sorry: the bench was booked; what was recorded is kept/).waitFor()
  const next = page.getByRole('status').filter({ hasText: 'You are next' })
  await next.getByRole('link', { name: 'To the rest of your time' }).click()
  await page.waitForURL(`${hub.url}/sessions/${rest.session.id}`)
  await page.getByText('You will have the bench for 4\u202fmin.').waitFor()
  rest.become({ state: 'active', bench: 'demo.rc-2', endsAt: new Date(Date.now() + 240_000).toISOString() })
  await page.getByText('You have the controls.').waitFor()
  // Of the session that ended, what is next is now a bench.
  await page.goto(`${hub.url}/sessions/${session.session.id}`)
  await page.getByText('A bench is yours for the rest of your time.').waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('who loses the bench reads an apology, also in Spanish on a phone, and goes on with the rest of the time', async () => {
  for (const [language, apology, toNext] of [
    [
      'en-GB',
      /^We are sorry: the bench broke down \(box was lost .*the rest of your time is next in line\.$/,
      'To the rest of your time',
    ],
    [
      'es-ES',
      /^Lo sentimos: el banco se averió \(.*el resto de tu tiempo es lo siguiente en la cola\.$/,
      'Al resto de tu tiempo',
    ],
  ] as const) {
    const session = hub.addSession()
    const { page, context, complaints } = await visit(browser, { phone: true, language })
    await page.goto(`${hub.url}/sessions/${session.session.id}`)
    await page.getByRole('switch').first().waitFor()
    const rest = hub.addSession({ state: 'waiting', position: 1, seconds: 240 })
    session.become({
      state: 'closed',
      endedAt: new Date().toISOString(),
      next: rest.session.id,
      reason:
        'we are sorry: the bench broke down (box was lost during the run: unplugged); what was recorded is kept, and the rest of your time is next in line',
    })
    await page.getByText(apology).waitFor()
    await page.getByRole('link', { name: toNext }).click()
    await page.waitForURL(`${hub.url}/sessions/${rest.session.id}`)
    rest.become({ state: 'active', bench: 'demo.rc-2', endsAt: new Date(Date.now() + 240_000).toISOString() })
    await page.getByRole('switch').first().waitFor()
    assert.equal(complaints, [])
    await context.close()
  }
})

test('how long before one is warned is a setting', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/settings`)
  const warning = page.getByLabel('Minutes of warning for a session that is bumped')
  await comes(() => warning.inputValue(), '5')
  await warning.fill('61')
  await page.getByRole('button', { name: 'Save the order' }).click()
  await page.getByText('Give a whole number from 1 to 60.').waitFor()
  await warning.fill('8')
  const [request] = await Promise.all([
    page.waitForRequest((one) => one.method() === 'PUT' && one.url().endsWith('/api/v1/settings/scheduling')),
    page.getByRole('button', { name: 'Save the order' }).click(),
  ])
  assert.is(request.postDataJSON().warningMinutes, 8)
  await page.getByText('The queue is ordered anew.').waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('a bench that could not be made ready is apologised for while the next one is', async () => {
  const session = hub.addSession({ state: 'preparing' })
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/sessions/${session.session.id}`)
  await page.getByText('The bench is being made ready for you').first().waitFor()
  const sorry = page.getByText('We are sorry: the bench before this one could not be used. This is another try.')
  assert.is(await sorry.count(), 0)
  hub.runs.get(session.session.id)?.repeat('the bench broke down')
  await sorry.waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test.run()
