/// <reference lib="dom" />
import { setTimeout as sleep } from 'node:timers/promises'
import { isDeepStrictEqual } from 'node:util'
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core'
import * as assert from 'uvu/assert'

/** Debian's Chromium, quiet: it calls nobody but the page under test. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({
    executablePath: process.env.FERNLAB_CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })

export interface Visit {
  readonly page: Page
  readonly context: BrowserContext
  /** What the page complained about: errors, and what the content security policy refused. */
  readonly complaints: string[]
}

export interface VisitOptions {
  readonly scheme?: 'light' | 'dark'
  readonly phone?: boolean
  readonly language?: string
}

/** So many times slower than on this machine the pages compute: what a test reads too early shows by it. */
const slowPages = Number(process.env.FERNLAB_SLOW_PAGES ?? 1)
if (!(slowPages >= 1)) throw new Error(`FERNLAB_SLOW_PAGES is a number from 1, not ${process.env.FERNLAB_SLOW_PAGES}`)

async function slowDown(context: BrowserContext, page: Page): Promise<void> {
  const session = await context.newCDPSession(page)
  await session.send('Emulation.setCPUThrottlingRate', { rate: slowPages })
}

/** So long a test waits for what a slow machine does slowly. */
const patienceMs = 40_000

/** Waits until what is read of the page is what is expected; fails with what it is instead. */
export async function comes<Value>(read: () => Promise<Value>, expected: Value, message?: string): Promise<void> {
  const endMs = performance.now() + patienceMs
  for (;;) {
    const value = await read()
    if (isDeepStrictEqual(value, expected)) return
    if (performance.now() > endMs) return assert.equal(value, expected, message)
    await sleep(50)
  }
}

/** A fresh visitor. */
export async function visit(browser: Browser, options: VisitOptions = {}): Promise<Visit> {
  const context = await browser.newContext({
    colorScheme: options.scheme ?? 'light',
    viewport: options.phone === true ? { width: 390, height: 844 } : { width: 1440, height: 900 },
    isMobile: options.phone === true,
    hasTouch: options.phone === true,
    locale: options.language ?? 'en-GB',
    timezoneId: 'Europe/Madrid',
    reducedMotion: 'reduce',
  })
  const page = await context.newPage()
  if (slowPages > 1) await slowDown(context, page)
  const complaints: string[] = []
  page.on('pageerror', (error) => complaints.push(`${error.name}: ${error.message}`))
  page.on('console', (message) => {
    const text = message.text()
    // A refused or cut request is what several tests are about; the page's own errors are not.
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) complaints.push(text)
  })
  page.setDefaultTimeout(patienceMs)
  return { page, context, complaints }
}

/** Presses Tab until the place has the focus; fails when it is not reached. */
export async function tabTo(page: Page, place: Locator): Promise<void> {
  await place.waitFor()
  for (let presses = 0; presses < 60; presses++) {
    if (await place.evaluate((element) => element === document.activeElement)) return
    await page.keyboard.press('Tab')
  }
  throw new Error(`60 presses of Tab did not reach ${String(place)}`)
}
