import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { openBrowser, visit } from './support/browser.ts'
import { type FakeHub, startFakeHub } from './support/fake-hub.ts'

const test = suite('every page, by day and by night, wide and narrow', { timeoutMs: 240_000, fileTimeoutMs: 900_000 })

let hub: FakeHub
let browser: Browser
let pages: Readonly<Record<string, string>>

test.before(async () => {
  hub = await startFakeHub()
  browser = await openBrowser()
  const done = hub.addRun()
  for (let i = 0; i < 53; i++) done.advance()
  const failed = hub.addRun()
  for (let i = 0; i < 12; i++) failed.advance()
  failed.end('failed', { reason: 'The meter stopped answering.', missingOutputs: { tau: 'too few points' } })
  const waiting = hub.addRun({ position: 2, estimatedStart: new Date(Date.now() + 370_000).toISOString() })
  const running = hub.addRun()
  for (let i = 0; i < 20; i++) running.advance()
  pages = {
    'sign-in': '/sign-in',
    'set-up': '/setup#token=once',
    forgot: '/forgot',
    reset: '/reset#token=once',
    catalogue: '/labs',
    lab: '/labs/rc-circuit',
    'finished run': `/runs/${done.run.id}`,
    'failed run': `/runs/${failed.run.id}`,
    'waiting run': `/runs/${waiting.run.id}`,
    'running run': `/runs/${running.run.id}`,
    'my runs': '/runs',
    benches: '/benches',
    bench: '/benches/demo.rc-1',
    nodes: '/nodes',
    account: '/account',
    settings: '/settings',
    'no such page': '/nowhere',
  }
})

test.after(async () => {
  await browser?.close()
  await hub?.close()
})

/** The page has drawn what it has: no placeholder is left and nothing is on its way. */
async function settled(page: Page): Promise<void> {
  await page.waitForSelector('h1, h2')
  await page.waitForFunction(() => document.querySelector('[class*="mantine-Skeleton"]') === null)
  await page.evaluate(() => document.fonts.ready)
}

for (const scheme of ['light', 'dark'] as const) {
  for (const phone of [false, true]) {
    test(`${scheme}, ${phone ? 'phone' : 'desktop'}: no barrier, no complaint, nothing to scroll sideways`, async () => {
      const { page, context, complaints } = await visit(browser, { scheme, phone })
      const barriers: string[] = []
      for (const [name, path] of Object.entries(pages)) {
        await page.goto(hub.url + path)
        await settled(page)
        const { violations } = await new AxeBuilder({ page }).analyze()
        for (const { id, nodes } of violations) {
          barriers.push(...nodes.map(({ html }) => `${name}: ${id}: ${html.slice(0, 160)}`))
        }
        const [wanted = 0, given = 0] = await page.evaluate(() => [
          document.documentElement.scrollWidth,
          document.documentElement.clientWidth,
        ])
        if (wanted > given) barriers.push(`${name} is ${wanted} px wide in ${given}`)
      }
      assert.equal(barriers, [])
      assert.equal([...new Set(complaints)], [])
      await context.close()
    })
  }
}

test('lists of a new hub say what they will show and offer the first step', async () => {
  hub.empty = true
  const { page, context } = await visit(browser)
  for (const [path, step] of [
    ['/labs', 'npx fernlab lab push DIR'],
    ['/benches', 'Enrol a node'],
    ['/nodes', 'Enrol a node'],
  ] as const) {
    await page.goto(hub.url + path)
    await page.getByText(step).first().waitFor()
  }
  hub.empty = false
  await context.close()
})

test.run()
