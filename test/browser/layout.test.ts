/// <reference lib="dom" />
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Me } from '@fernlab/shared/contracts/api'
import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import { stage } from './support/stage.ts'

const test = suite('nothing jumps, and nothing is cut off', { timeoutMs: 300_000, fileTimeoutMs: 900_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

/** An address for each route of the page. */
function addresses(): Readonly<Record<string, string>> {
  const run = hub.addRun()
  for (let at = 0; at < 53; at++) run.advance()
  const session = hub.addSession()
  const given: Readonly<Record<string, string>> = {
    '/labs/$labId': '/labs/rc-circuit',
    '/runs': '/runs?whose=all',
    '/runs/$runId': `/runs/${run.run.id}`,
    '/recurring/$recurringId': '/recurring/calibration',
    '/sessions/$sessionId': `/sessions/${session.session.id}`,
    '/sessions/$sessionId/visit': `/sessions/${session.session.id}/visit`,
    '/sessions/join': '/sessions/join#token=once',
    '/benches/$benchId': '/benches/demo.rc-1',
    '/services/$node/$service': '/services/demo/rc-1.psu',
    '/people/groups/$groupId': '/people/groups/optics',
    '/usage/uses/$useId': '/usage/uses/01u00000000000000000000001',
    '/usage/direct/$useId': '/usage/direct/01u00000000000000000000001',
    '/calendar': '/calendar?view=grid&lab=rc-circuit',
    '/setup': '/setup#token=once',
    '/join': '/join#token=once',
    '/register': '/register#token=once',
    '/confirm-address': '/confirm-address#token=once',
  }
  const router = readFileSync(new URL('../../hub/web/src/router.tsx', import.meta.url), 'utf8')
  const routes = [...router.matchAll(/^ {2}path: '(.+)',$/gm)].map(([, path = '']) => path)
  assert.ok(routes.length > 30)
  return Object.fromEntries(routes.map((route) => [route, given[route] ?? route]))
}

async function settled(page: Page): Promise<void> {
  // A page that is for others is a notice and nothing else.
  await page.waitForSelector('h1, h2, [role=alert]')
  await page.waitForLoadState('networkidle')
  await page.waitForFunction(() => document.querySelector('[class*="mantine-Skeleton"]') === null)
  await page.evaluate(() => document.fonts.ready)
}

for (const role of ['admin', 'instructor', 'student'] as const satisfies readonly Me['role'][]) {
  test(`${role}: at 320 px, as of a narrow phone or a page at 400 %, no page scrolls sideways`, async () => {
    hub.role = role
    const { page, context, complaints } = await visit(browser, { phone: true })
    await page.setViewportSize({ width: 320, height: 640 })
    const wide: string[] = []
    for (const path of Object.values(addresses())) {
      await page.goto(hub.url + path)
      await settled(page)
      const width = await page.evaluate(() => document.documentElement.scrollWidth)
      if (width > 320) wide.push(`${path} is ${width} px wide`)
    }
    assert.equal(wide, [])
    assert.equal([...complaints], [])
    await context.close()
  })
}

/** Adds up, in each page that is opened, by how much it shifted while nobody touched it. */
const watchShifts = (page: Page) =>
  page.addInitScript(() => {
    Object.assign(window, { shifted: 0 })
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries() as (PerformanceEntry & { value: number; hadRecentInput: boolean })[]) {
        const seen = window as unknown as { shifted: number }
        if (!entry.hadRecentInput) seen.shifted += entry.value
      }
    }).observe({ type: 'layout-shift', buffered: true })
  })

/** What is said of the address where its page shifts by more than 0.1. */
async function jump(page: Page, path: string): Promise<string[]> {
  await page.goto(hub.url + path)
  await settled(page)
  const shifted = await page.evaluate(() => (window as unknown as { shifted: number }).shifted)
  return shifted > 0.1 ? [`${path} shifts by ${shifted.toFixed(3)}`] : []
}

test('on a phone no page shifts by more than 0.1 while it comes', async () => {
  const { page, context } = await visit(browser, { phone: true })
  await watchShifts(page)
  const jumps: string[] = []
  for (const path of Object.values(addresses())) jumps.push(...(await jump(page, path)))
  assert.equal(jumps, [])
  await context.close()
})

/** Of a bench the answers, of a run what has to be drawn, of a calendar what is beside its heading. */
const lateOn: readonly (readonly [page: string, of: string, late: readonly string[]])[] = [
  ['bench', '/benches/$benchId', ['css', 'outages', 'history', 'calibrations', 'me', 'woff2']],
  ['run', '/runs/$runId', ['js', 'json']],
  ['calendar', '/calendar', ['woff2', 'css']],
]
for (const [name, route, lates] of lateOn) {
  for (const late of lates) {
    test(`nor does the page of a ${name} whose ${late} come long after the rest`, async () => {
      const { page, context } = await visit(browser, { phone: true })
      await watchShifts(page)
      await page.route(new RegExp(`[./]${late}([?]|$)`), async (answer) => {
        await sleep(700)
        await answer.continue()
      })
      assert.equal(await jump(page, addresses()[route] ?? ''), [])
      await context.close()
    })
  }
}

test.run()
