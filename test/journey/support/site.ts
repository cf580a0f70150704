/** A whole site for journeys: `npm start`'s hub and demo node, a mail server, a file of countries, and a browser for each person. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Locator, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { openBrowser, type Visit, type VisitOptions, visit } from '../../browser/support/browser.ts'
import { type MailServer, startMailServer } from '../../integration/accounts/mail-server.ts'
import { countryFile } from '../../integration/usage/country-file.ts'
import { type RunningFernlab, startFernlab } from '../../support/running-fernlab.ts'

export const password = 'a password of some length'

export interface Site {
  readonly lab: RunningFernlab
  readonly mail: MailServer
  readonly folder: string
  /** A browser of their own, whose runs come from this address; what it complains about is told by `complaints`. */
  visitor(from: string, options?: VisitOptions): Promise<Visit>
  /** What any page complained about, so far. */
  complaints(): readonly string[]
  close(): Promise<void>
}

/** Starts the site; nobody has an account yet. Addresses below 192.0.2 are Spanish. */
export async function openSite(): Promise<Site> {
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-site-'))
  const countries = join(folder, 'countries.mmdb')
  await writeFile(countries, countryFile({ '192.0.2.0/24': 'ES' }))
  const mail = await startMailServer()
  let lab: RunningFernlab | undefined
  let browser: Browser | undefined
  const visits: Visit[] = []
  const close = async () => {
    await browser?.close()
    await lab?.cleanUp()
    await mail.close()
    await rm(folder, { recursive: true, force: true })
  }
  try {
    lab = await startFernlab({
      env: {
        FERNLAB_ADMIN_TOKEN: '',
        FERNLAB_SMTP_URL: mail.url,
        FERNLAB_COUNTRY_DB: countries,
        FERNLAB_TRUSTED_PROXIES: '127.0.0.1',
      },
      readyMs: 200_000,
    })
    browser = await openBrowser()
  } catch (error) {
    await close()
    throw error
  }
  const opened = browser
  return {
    lab,
    mail,
    folder,
    visitor: async (from, options) => {
      const one = await visit(opened, options)
      // Not on all requests: those of a lab's page, from its own origin, may have no header of ours.
      await one.context.route('**/api/v1/runs', (route) =>
        route.continue({ headers: { ...route.request().headers(), 'x-forwarded-for': from } }),
      )
      visits.push(one)
      return one
    },
    complaints: () => visits.flatMap(({ complaints }) => complaints),
    close,
  }
}

export const button = (within: Page | Locator, name: string) => within.getByRole('button', { name, exact: true })

/** What the rail offers, in its order. */
export async function ways(page: Page): Promise<readonly string[]> {
  const rail = page.getByRole('navigation', { name: 'Main' })
  await rail.getByRole('link', { name: /^(Account|Sign in)$/ }).waitFor()
  // The first is the mark of the site.
  return (await rail.getByRole('link').allInnerTexts()).slice(1)
}

/** Makes an account on the page of an invitation or registration that is open. */
export async function makeAccount(page: Page, name: string, email?: string): Promise<void> {
  await page.getByLabel('Your name').fill(name)
  if (email !== undefined) await page.getByLabel('Mail address').fill(email)
  await page.getByLabel('Password', { exact: true }).fill(password)
  await page.keyboard.press('Enter')
  await page.waitForURL(/\/labs$/)
}

/** Makes an invitation on the page of people and returns its link. */
export async function invite(page: Page, as: string, group?: string): Promise<string> {
  await button(page, 'Invite people').click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('They join as').selectOption({ label: as })
  if (group !== undefined) await dialog.getByLabel('Into the group').selectOption({ label: group })
  await dialog.getByLabel('How many may join').fill('5')
  await button(dialog, 'Make the link').click()
  const link = (await dialog.locator('code').textContent()) ?? ''
  await button(dialog, 'Done').click()
  await dialog.waitFor({ state: 'detached' })
  return link
}

/** Presses what downloads, and returns the file's lines. */
export async function downloaded(page: Page, press: Locator): Promise<readonly string[]> {
  const [saved] = await Promise.all([page.waitForEvent('download'), press.click()])
  return (await readFile(await saved.path(), 'utf8')).trim().split('\n')
}

/** Opens each address and sees the notice that it is for staff, and nothing else. */
export async function keptOut(page: Page, site: Site, paths: readonly string[]): Promise<void> {
  for (const path of paths) {
    await page.goto(`${site.lab.http}${path}`)
    await page.getByText('This page is for staff.').waitFor()
    assert.equal(await page.locator('main').getByRole('button').allTextContents(), ['forbidden'], path)
  }
}
