/** The whole way, on real parts: `npm start`'s hub and demo node, the set-up link, a real browser, the emulated bench on its wire. */
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { openBrowser, tabTo, visit } from '../browser/support/browser.ts'
import { type RunningFernlab, startFernlab } from '../support/running-fernlab.ts'
import { suite } from '../support/suite.ts'

const test = suite('from a click to a plot', {
  timeoutMs: 120_000,
  hookTimeoutMs: 240_000,
  fileTimeoutMs: 600_000,
})

let lab: RunningFernlab
let browser: Browser
let downloads: string

test.before(async () => {
  lab = await startFernlab({ env: { FERNLAB_ADMIN_TOKEN: '' }, readyMs: 200_000 })
  browser = await openBrowser()
  downloads = await mkdtemp(join(tmpdir(), 'fernlab-journey-'))
})

test.after(async () => {
  await browser?.close()
  await lab?.cleanUp()
  if (downloads !== undefined) await rm(downloads, { recursive: true, force: true })
})

/** How many points the chart says it has, twice, the second time more; only what is drawn before the run has ended counts. */
async function pointsWhileRunning(page: Page): Promise<readonly [number, number]> {
  const moreThan = async (least: number): Promise<number> => {
    const seen = await page.waitForFunction(
      (fewest) => {
        const running = [...document.querySelectorAll('main [aria-live]')].some(
          ({ textContent }) => textContent.trim() === 'running',
        )
        const summary = document.querySelector('main [role=application] + p')?.textContent ?? ''
        const points = Number(/: (\d+) points/.exec(summary)?.[1] ?? 0)
        return running && points > fewest && document.querySelector('main canvas') !== null ? points : undefined
      },
      least,
      { timeout: 30_000 },
    )
    return (await seen.jsonValue()) ?? 0
  }
  const few = await moreThan(0)
  return [few, await moreThan(few)]
}

test('the printed link makes the first admin, whose rc-circuit run ends with tau within 5 % of RC = 1 s', async () => {
  const link = /http:\/\/\S+\/setup#token=\S+/.exec(lab.output())?.[0]
  assert.ok(link, `no set-up link was printed:\n${lab.output()}`)
  const { page, complaints } = await visit(browser)

  await page.goto(link)
  await page.getByLabel('Your name').fill('Ada Fern')
  await page.getByLabel('Mail address').fill('ada@lab.example')
  await page.getByLabel('Password', { exact: true }).fill('a password of some length')
  await page.keyboard.press('Enter')

  // A link works once; and she signs in as anybody would.
  await page.getByRole('heading', { name: 'RC circuit' }).waitFor()
  await page.context().clearCookies()
  await page.goto(`${lab.http}/sign-in?next=/labs`)
  await page.getByLabel('Mail address').fill('ada@lab.example')
  await page.getByLabel('Password', { exact: true }).fill('a password of some length')
  await page.keyboard.press('Enter')

  for (const title of ['RC circuit', 'Diode', 'membrane', 'Temperature']) {
    await page
      .getByRole('heading', { name: new RegExp(title, 'i') })
      .first()
      .waitFor()
  }
  await page.getByRole('link', { name: 'RC circuit' }).click()
  // Long enough for a slow machine to draw twice while it runs.
  await page
    .getByLabel(/^Recording time/)
    .first()
    .fill('20 s')
  await page.getByText(/^\d+ to \d+ points, 20 to \d+\ss$/).waitFor()
  await page.getByRole('button', { name: 'Run', exact: true }).click()
  await page.waitForURL(/\/runs\/[0-9a-z]{26}/)
  const runId = page.url().slice(-26)
  const [few, more] = await pointsWhileRunning(page)
  assert.ok(few > 0 && more > few, `the chart had ${few} points, then ${more}`)
  await page.getByText('succeeded').first().waitFor({ timeout: 60_000 })

  const cookie = (await page.context().cookies()).map(({ name, value }) => `${name}=${value}`).join('; ')
  const run = (await (await fetch(`${lab.http}/api/v1/runs/${runId}`, { headers: { cookie } })).json()) as {
    outputs: Record<string, { value: number; unit: string; uncertainty: number }>
  }
  const { value: tau = 0, unit = '', uncertainty = 0 } = run.outputs.tau ?? {}
  assert.ok(Math.abs(tau - 10e3 * 100e-6) <= 0.05, `tau is ${tau} ${unit}`)
  assert.is(unit, 's')
  assert.ok(uncertainty > 0 && uncertainty < 0.05)
  await page.getByText(tau.toFixed(3).slice(0, 4)).first().waitFor()

  await page.getByRole('button', { name: 'Download' }).click()
  const [saved] = await Promise.all([
    page.waitForEvent('download'),
    page.locator('[role=menuitem][href*="data.csv"][href*="stream=charge"]').click(),
  ])
  const file = join(downloads, 'run.csv')
  await copyFile(await saved.path(), file)
  const rows = (await readFile(file, 'utf8')).trim().split('\n')
  assert.ok(rows.length > 50, `${rows.length} lines`)

  await page.getByRole('link', { name: 'Run again with changes' }).click()
  await page.waitForURL(/\/labs\/rc-circuit/)
  assert.equal(complaints, [])
  await page.context().close()
})

test('on a phone, by night, by keyboard alone: sign in, run, watch, read the chart, open the downloads', async () => {
  const { page, context, complaints } = await visit(browser, { phone: true, scheme: 'dark' })
  await page.goto(`${lab.http}/sign-in?next=/labs`)
  await page.getByLabel('Mail address').waitFor()
  await page.keyboard.type('ada@lab.example')
  await page.keyboard.press('Tab')
  await page.keyboard.type('a password of some length')
  await page.keyboard.press('Enter')
  await tabTo(page, page.getByRole('link', { name: 'RC circuit' }))
  await page.keyboard.press('Enter')
  await tabTo(page, page.getByLabel(/^Recording time/).first())
  await page.keyboard.press('ControlOrMeta+a')
  await page.keyboard.type('20 s')
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/runs\/[0-9a-z]{26}/)
  const [few, more] = await pointsWhileRunning(page)
  assert.ok(few > 0 && more > few, `the chart had ${few} points, then ${more}`)
  await page.getByText('succeeded').first().waitFor({ timeout: 60_000 })
  await tabTo(page, page.getByRole('button', { name: 'Download' }))
  const ring = await page.evaluate(() => getComputedStyle(document.activeElement ?? document.body).outlineStyle)
  assert.is(ring, 'solid')
  await page.keyboard.press('Enter')
  await page.waitForFunction(() => document.activeElement?.getAttribute('role') === 'menuitem')
  await page.keyboard.press('Escape')
  await tabTo(page, page.getByRole('application').first())
  await page.keyboard.press('Home')
  await page.getByText(/^at 0\u202fs$/).waitFor()
  assert.equal(complaints, [])
  await context.close()
})

test('the set-up link is worth nothing any more', async () => {
  const link = /#token=(\S+)/.exec(lab.output())?.[1] ?? ''
  const response = await fetch(`${lab.http}/api/v1/setup`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ token: link, name: 'Mallory', email: 'm@lab.example', password: 'another long password' }),
  })
  assert.ok([403, 404, 409, 410].includes(response.status), `${response.status}`)
  assert.is(response.headers.get('content-type')?.split(';')[0], 'application/problem+json')
})

test.run()
