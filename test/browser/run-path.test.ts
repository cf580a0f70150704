import type { Browser, Page, Route } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { comes, tabTo, visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import type { FakeRun } from './support/fake-run.ts'
import { stage } from './support/stage.ts'

const test = suite('from sign-in to a finished run', { timeoutMs: 120_000, fileTimeoutMs: 400_000 })

let hub: FakeHub
let browser: Browser

stage(
  test,
  (given) => {
    ;({ hub, browser } = given)
  },
  { signedIn: false },
)

/** The labs as they are where every bench is kept for another. */
async function unserved(route: Route): Promise<void> {
  if (route.request().url().includes('/files/')) return route.continue()
  const body = (await (await route.fetch()).json()) as { items?: object[] }
  const more = {
    benches: [],
    estimatedWaitS: null,
    notServedBy: [{ bench: 'demo.rc-1', reason: 'demo.rc-1 is kept for diode-iv' }],
  }
  const json =
    body.items === undefined ? { ...body, ...more } : { items: body.items.map((lab) => ({ ...lab, ...more })) }
  await route.fulfill({ json })
}

/** Resolves when a page hears the events of the run: they come by a link of their own, which may be later than its points. */
const followed = (run: FakeRun) => comes(async () => run.resumedFrom.length, 1)

async function signIn(page: Page): Promise<void> {
  await page.getByLabel('Mail address').fill('ana@school.example')
  await page.getByLabel('Password', { exact: true }).fill('correct horse')
  await page.keyboard.press('Enter')
}

test('by keyboard alone: sign in, open a lab, change a value, run, read the chart', async () => {
  const { page, context, complaints } = await visit(browser)
  await page.goto(`${hub.url}/runs`)
  await page.getByLabel('Mail address').waitFor()
  await page.keyboard.type('ana@school.example')
  await page.keyboard.press('Tab')
  await page.keyboard.type('correct horse')
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: 'No runs yet' }).waitFor()
  await tabTo(page, page.getByRole('link', { name: 'Choose a lab' }))
  await page.keyboard.press('Enter')
  await tabTo(page, page.getByRole('link', { name: 'RC circuit' }))
  await page.keyboard.press('Enter')
  await tabTo(page, page.getByLabel(/^Step/).first())
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type('4.5')
  await page.keyboard.press('Enter')
  await page.getByText('succeeded').first().waitFor()
  assert.equal([...hub.runs.values()][0]?.run.parameters.voltage, 4.5)
  const chart = page.getByRole('application', { name: /Voltage of the capacitor/ })
  await tabTo(page, chart)
  await page.keyboard.press('Home')
  await page.keyboard.press('ArrowRight')
  await page.getByText(/^at 100\u202fms$|^at 0.1\u202fs$/).waitFor()
  await page.getByText('1.002 ± 0.004\u202fs').waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('a wrong value says why beside its field, and nothing is sent', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/sign-in?next=/labs/rc-circuit`)
  await signIn(page)
  const step = page.getByLabel(/^Step/).first()
  await step.fill('12')
  const message = async () => {
    const id = (await step.getAttribute('aria-describedby'))?.split(/\s+/) ?? []
    const texts = await Promise.all(id.map((one) => page.locator(`[id="${one}"]`).textContent()))
    return texts.join(' ')
  }
  const says = (what: RegExp) => comes(async () => what.test(await message()), true, String(what))
  await says(/The most is 10\u202fV/)
  assert.is(await step.getAttribute('aria-invalid'), 'true')
  const slider = page.getByRole('slider', { name: /^Step/ }).first()
  assert.is(await slider.getAttribute('aria-valuenow'), await slider.getAttribute('aria-valuemax'))
  assert.is(await page.getByText('Starts at once').count(), 0)
  await step.fill('5 mA')
  await says(/“mA” does not fit here; use V/)
  await step.fill('5 xyz')
  await says(/not a unit we know/)
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  assert.is(hub.runs.size, 0)
  await step.and(page.locator(':focus')).waitFor()
  await step.fill('4500 mV')
  await page.getByText('reads as 4.5\u202fV').waitFor()
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await page.waitForURL(/\/runs\//)
  assert.equal([...hub.runs.values()][0]?.run.parameters.voltage, 4.5)
  await context.close()
})

test('the sentence about points and time follows what is typed', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/labs/rc-circuit`)
  const sentence = page.getByText(/^\d+ to \d+ points, \d+ to \d+\ss$/)
  await sentence.waitFor()
  await page
    .getByLabel(/^Recording time/)
    .first()
    .fill('50')
  await page.getByText(/points, 50 to 58\ss$/).waitFor()
  await context.close()
})

test('live points go on where they stopped after the connection was cut', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/sign-in`)
  await signIn(page)
  await page.waitForURL(/labs/)
  const run = hub.addRun({}, 40)
  for (let i = 0; i < 12; i++) run.advance()
  await page.goto(`${hub.url}/runs/${run.run.id}`)
  await page.getByText('Rows 1 to 10 of 10').waitFor()
  await followed(run)
  run.drop()
  for (let i = 0; i < 5; i++) run.advance()
  await page.getByText('Rows 1 to 15 of 15').waitFor()
  await comes(async () => run.resumedFrom.length, 2)
  assert.is(run.resumedFrom[0], '')
  assert.ok(Number(run.resumedFrom[1]) > 0)
  for (let i = 0; i < 26; i++) run.advance()
  await page.getByText('succeeded').first().waitFor()
  await context.close()
})

test('when the hub is out of reach the page stays, says so, and comes back by itself', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/labs`)
  await page.getByRole('heading', { name: 'RC circuit' }).waitFor()
  hub.down = true
  await page.getByText('The hub cannot be reached.').waitFor()
  await page.getByRole('heading', { name: 'RC circuit' }).waitFor()
  // It asks again by itself too, so the button is pressed while nothing can make it go away.
  const asked = page.waitForRequest('**/api/v1/**')
  await page.getByRole('button', { name: 'Try now' }).click()
  await asked
  hub.down = false
  await page.getByText('The hub cannot be reached.').waitFor({ state: 'detached' })
  await context.close()
})

test('a run that the hub went away from comes back by itself, with every point and without a reload', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/sign-in`)
  await signIn(page)
  await page.waitForURL(/labs/)
  const run = hub.addRun({}, 40)
  for (let i = 0; i < 12; i++) run.advance()
  await page.goto(`${hub.url}/runs/${run.run.id}`)
  await page.getByText('Rows 1 to 10 of 10').waitFor()
  await page.evaluate(() => Object.assign(window, { sameDocument: true }))
  await followed(run)
  hub.down = true
  run.drop()
  await page.getByText('The hub cannot be reached.').waitFor()
  await page.getByText('Live values paused').waitFor()
  await page.getByText('Rows 1 to 10 of 10').waitFor()
  for (let i = 0; i < 5; i++) run.advance()
  hub.down = false
  await page.getByText('The hub cannot be reached.').waitFor({ state: 'detached' })
  await page.getByText('Rows 1 to 15 of 15').waitFor()
  await page.getByText('Live values paused').waitFor({ state: 'detached' })
  assert.ok(await page.evaluate(() => 'sameDocument' in window))
  await context.close()
})

test('while the points of a finished run are on their way, the page does not say that it has none', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/sign-in`)
  await signIn(page)
  await page.waitForURL(/labs/)
  const run = hub.addRun()
  for (let i = 0; i < 53; i++) run.advance()
  let release = () => {}
  const released = new Promise<void>((resolve) => {
    release = resolve
  })
  await page.route('**/data.json*', async (route) => {
    await released
    await route.continue()
  })
  await page.goto(`${hub.url}/runs/${run.run.id}`)
  await page.getByText('1.002 ± 0.004').waitFor()
  assert.is(await page.getByText('This run took no points.').count(), 0)
  const before = await page.getByRole('heading', { name: 'Results' }).boundingBox()
  release()
  await page.getByRole('application').waitFor()
  const after = await page.getByRole('heading', { name: 'Results' }).boundingBox()
  assert.ok(Math.abs((after?.y ?? 0) - (before?.y ?? 0)) <= 4, `the results moved from ${before?.y} to ${after?.y}`)
  await context.close()
})

test('after a reload a repeated run still tells of its first attempt and offers its points', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/sign-in`)
  await signIn(page)
  await page.waitForURL(/labs/)
  const run = hub.addRun({}, 10)
  for (let i = 0; i < 6; i++) run.advance()
  run.repeat('the node was started again')
  for (let i = 0; i < 13; i++) run.advance()
  await page.goto(`${hub.url}/runs/${run.run.id}`)
  await page.getByText('Attempt 2 begins: the node was started again').waitFor()
  await comes(() => page.getByRole('listitem').filter({ hasText: 'running' }).count(), 2)
  await page.getByRole('button', { name: 'Download' }).click()
  const csv = page.getByRole('menuitem', { name: 'Table as CSV' })
  const leads = async () => /attempt=./.exec((await csv.getAttribute('href')) ?? '')?.[0]
  await comes(leads, 'attempt=2')
  await page.getByRole('menuitemradio', { name: 'Attempt 1' }).click()
  await comes(leads, 'attempt=1')
  await context.close()
})

test('a lab that no bench serves says so on its card and on its form, to staff with the reasons, and offers no run', async () => {
  const { page, context } = await visit(browser)
  await page.route('**/api/v1/labs*/**', (route) => unserved(route))
  await page.route('**/api/v1/labs?*', (route) => unserved(route))
  await page.goto(`${hub.url}/sign-in?next=/labs`)
  await signIn(page)
  const said = /No bench serves this lab. demo.rc-1 is kept for diode-iv/
  await page.getByText(said).first().waitFor()
  await page.getByRole('link', { name: 'RC circuit' }).click()
  await page.getByRole('heading', { level: 1, name: 'RC circuit' }).waitFor()
  await page.getByText('No bench serves this lab.').waitFor()
  await page.getByText('demo.rc-1 is kept for diode-iv').waitFor()
  assert.is(await page.getByRole('button', { name: 'Run', exact: true }).count(), 0)
  // The page asks again now and then; what is on its way then has nobody to answer.
  await page.unrouteAll({ behavior: 'ignoreErrors' })
  await context.close()
})

test('values put back to their defaults after a refusal are another request', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/sign-in?next=/labs/rc-circuit`)
  await signIn(page)
  const keys: (string | undefined)[] = []
  await page.route('**/api/v1/runs', (route) => {
    keys.push(route.request().headers()['idempotency-key'])
    return keys.length === 1 ? route.fulfill({ status: 503, json: { code: 'busy' } }) : route.continue()
  })
  await page.getByLabel(/^Step/).first().fill('4')
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await page.getByRole('alert').waitFor()
  await page.getByRole('button', { name: 'Back to defaults' }).click()
  await page.getByRole('alert').waitFor({ state: 'detached' })
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await page.waitForURL(/\/runs\//)
  assert.is(new Set(keys).size, 2)
  await context.close()
})

test('a reason is a sentence and a switch is on or off, in the person’s language', async () => {
  const { page, context } = await visit(browser, { language: 'es-ES' })
  await page.goto(`${hub.url}/sign-in`)
  await page.getByLabel('Correo').fill('ana@school.example')
  await page.getByLabel('Contraseña', { exact: true }).fill('correct horse')
  await page.keyboard.press('Enter')
  await page.waitForURL(/labs/)
  await page.goto(`${hub.url}/benches/demo.rc-1`)
  await page.getByRole('cell', { name: 'desactivado' }).waitFor()
  const run = hub.addRun()
  for (let i = 0; i < 9; i++) run.advance()
  run.end('failed', { reason: 'the condition did not come true within 3 s' })
  await page.goto(`${hub.url}/runs/${run.run.id}`)
  await page.getByText('La condición no se cumplió en 3 s. ').waitFor()
  await context.close()
})

test('a reset link without its secret says so and leads to a new one', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/reset`)
  await page.getByRole('link', { name: 'Ask for a new link' }).click()
  await page.getByRole('heading', { name: 'Reset your password' }).waitFor()
  await page.goto(`${hub.url}/reset#token=once`)
  await page.getByLabel('New password').waitFor()
  await context.close()
})

test('a set-up link that no longer works is refused before anything is filled in', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/setup#token=wrong`)
  await page.getByText('This set-up link no longer works.').waitFor()
  assert.is(await page.getByLabel('Your name').count(), 0)
  assert.is(await page.getByRole('button', { name: 'Try again' }).count(), 0, 'a refusal stays a refusal')
  await page.goto(`${hub.url}/sign-in`)
  await page.goto(`${hub.url}/setup#token=once`)
  await page.getByLabel('Your name').waitFor()
  await context.close()
})

test('stopping a run asks first, and the safe answer has the focus', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/sign-in`)
  await signIn(page)
  await page.waitForURL(/labs/)
  const run = hub.addRun({}, 40)
  for (let i = 0; i < 6; i++) run.advance()
  await page.goto(`${hub.url}/runs/${run.run.id}`)
  await page.getByRole('button', { name: 'Stop the run' }).click()
  const keep = page.getByRole('button', { name: 'Let it run' })
  await keep.waitFor()
  await page.waitForFunction(() => document.activeElement?.textContent === 'Let it run')
  await page.getByRole('dialog').getByRole('button', { name: 'Stop the run' }).click()
  await page.getByText('cancelled').first().waitFor()
  assert.is(run.run.state, 'cancelled')
  await context.close()
})

test('Spanish from the browser, English when chosen, remembered', async () => {
  const { page, context } = await visit(browser, { language: 'es-ES' })
  await page.goto(`${hub.url}/labs`)
  await page.getByRole('heading', { name: 'Laboratorios' }).waitFor()
  await page.getByRole('heading', { name: 'Circuito RC' }).waitFor()
  assert.is(await page.getAttribute('html', 'lang'), 'es')
  await page.getByRole('button', { name: /Aspecto, Idioma/ }).click()
  await page.getByRole('menuitem', { name: 'English' }).click()
  await page.getByRole('heading', { name: 'Labs' }).waitFor()
  await page.reload()
  await page.getByRole('heading', { name: 'RC circuit' }).waitFor()
  await context.close()
})

test('the place in the queue stands on every page and leads to the run', async () => {
  const { page, context } = await visit(browser)
  await page.goto(`${hub.url}/sign-in`)
  await signIn(page)
  await page.waitForURL(/labs/)
  const run = hub.addRun({
    position: 3,
    estimatedStart: new Date(Date.now() + 385_000).toISOString(),
    waitReason: '2 runs before you, about 6 min; one of them has used the benches less lately',
  })
  await page.reload()
  await page.getByRole('link', { name: 'Your turn comes in about 6 min' }).click()
  await page.getByText(/2 runs are before yours. One of them has used the benches less lately\./).waitFor()
  assert.ok(page.url().endsWith(run.run.id))
  await context.close()
})

test.run()
