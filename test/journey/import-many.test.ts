/// <reference lib="dom" />
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { openBrowser, visit } from '../browser/support/browser.ts'
import { admin, type ServedHub, serveHub } from '../integration/api/served-hub.ts'
import { root } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'

const test = suite('50,000 people are imported from the page', { timeoutMs: 180_000 })
const MANY = 50_000
const folder = mkdtempSync(join(tmpdir(), 'fernlab-list-'))
const file = (name: string, text: string) => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const good = file(
  'good.csv',
  `E-Mail;Name\n${Array.from({ length: MANY }, (_, n) => `p${n}@school.example;Person, number ${n}`).join('\n')}\n`,
)
const bad = file(
  'bad.csv',
  `name,email\n${Array.from({ length: MANY }, (_, n) => `P${n},${n % 50 === 0 ? 'nonsense' : `q${n}@school.example`}`).join('\n')}\n`,
)
let browser: Browser
let hub: ServedHub

test.before(async () => {
  browser = await openBrowser()
})
test.before.each(async () => {
  hub = await serveHub({ webFolder: join(root, 'hub/web/dist'), trustedProxies: ['loopback'] })
})
test.after.each(() => hub.close())
test.after(async () => {
  await browser.close()
  rmSync(folder, { recursive: true })
})

/** How long the page drew nothing, at most. */
async function watchFrames(page: Page): Promise<() => Promise<number>> {
  await page.evaluate(`{
    const watch = (window.watch = { last: performance.now(), longest: 0 })
    const look = () => {
      const now = performance.now()
      watch.longest = Math.max(watch.longest, now - watch.last)
      watch.last = now
      requestAnimationFrame(look)
    }
    look()
  }`)
  return () => page.evaluate<number>('watch.longest')
}

for (const phone of [false, true]) {
  test(`on a ${phone ? 'phone' : 'desk'}: faults are told, stopping makes nobody, the page never freezes`, async () => {
    const { page, context, complaints } = await visit(browser, { phone })
    await page.goto(`${hub.url}/sign-in`)
    await page.getByLabel('Mail address').fill(admin.email)
    await page.getByRole('textbox', { name: 'Password' }).fill(admin.password)
    await page.getByRole('button', { name: 'Sign in', exact: true }).click()
    await page.waitForURL((url) => !url.pathname.startsWith('/sign-in'))
    await page.goto(`${hub.url}/people`)
    await page.getByRole('button', { name: 'Import a list' }).click()
    const dialog = page.getByRole('dialog')
    const longest = await watchFrames(page)
    const shot = async (name: string) => {
      const to = process.env.FERNLAB_SHOTS
      if (to !== undefined) await page.screenshot({ path: join(to, `${phone ? 'phone' : 'desk'}-${name}.png`) })
    }
    await dialog.locator('input[type="file"]').setInputFiles(bad)
    await dialog.getByText('line 2: "nonsense" is not a mail address').waitFor()
    await shot('faults')
    await dialog.locator('input[type="file"]').setInputFiles(good)
    await dialog.getByRole('button', { name: 'Stop' }).waitFor()
    await shot('look')
    const make = dialog.getByRole('button', { name: `Make ${MANY} accounts` })
    await make.waitFor()
    await dialog.getByText('Person, number 199').waitFor()
    await dialog.getByText(`and ${MANY - 200} more`).waitFor()
    await shot('preview')
    await make.click()
    await dialog.getByText('Looking for those').or(dialog.getByText('Accounts are being')).first().waitFor()
    await shot('making')
    await dialog.getByRole('button', { name: 'Stop' }).click()
    await dialog.getByText('Stopped. Nobody was made.').waitFor()
    assert.is((await hub.store.db.selectFrom('user').select('id').execute()).length, 1)
    await shot('stopped')
    await make.click()
    await dialog.getByText(`${MANY} accounts were made.`).waitFor()
    await shot('made')
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      dialog.getByRole('button', { name: 'Save the links' }).click(),
    ])
    const saved = readFileSync((await download.path()) ?? '', 'utf8').split('\r\n')
    assert.is(saved.length, MANY + 2)
    assert.match(saved[1] ?? '', /^"Person, number 0","p0@school.example","http.*#token=/)
    const frozenMs = await longest()
    if (process.env.FERNLAB_SHOW_TIMES === '1') console.log('  the page drew nothing for', frozenMs)
    assert.ok(frozenMs < 2000, `the page drew nothing for ${frozenMs} ms`)
    assert.equal([...complaints], [])
    await context.close()
  })
}

test.run()
