import type { Browser } from 'playwright-core'
import type { Test } from '../../support/suite.ts'
import { openBrowser } from './browser.ts'
import { type FakeHub, type FakeHubOptions, startFakeHub } from './fake-hub.ts'

/** What is given before each test. */
interface Stage {
  readonly browser: Browser
  readonly hub: FakeHub
}

/** One browser for the suite, and a hub of its own for each of its tests. */
export function stage(test: Test, given: (stage: Stage) => void, options: FakeHubOptions = {}): void {
  let browser: Browser | undefined
  let hub: FakeHub | undefined
  test.before(async () => {
    browser = await openBrowser()
  })
  test.before.each(async () => {
    hub = await startFakeHub(options)
    if (browser !== undefined) given({ browser, hub })
  })
  test.after.each(() => hub?.close())
  test.after(() => browser?.close())
}
