// npm run screenshots [-- folder] [--spanish]: every page of a demo hub, light and dark, desktop and phone; by default
// into data/screenshots. With --docs also renews the pictures that README and guides show, and that of a shared link.

import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { prepare } from '../start/prepare.mjs'
import { caller, freeBenches, pushFailingLab, startDemoHub } from './demo-hub.mjs'
import { squeeze } from './png.mjs'
import { socialPicture } from './social.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const admin = { name: 'Ada Lovelace', email: 'ada@example.org', password: 'not-a-secret-at-all' }
const devices = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } }
const inGuides = {
  'run-light-desktop.png': 'run.png',
  'lab-light-desktop.png': 'lab.png',
  'labs-light-phone.png': 'labs-phone.png',
  'running-dark-phone.png': 'running-phone.png',
  'run-dark-phone.png': 'run-phone.png',
}

/** Opens the set-up link, becomes the first admin and returns a caller who is she, so that the runs are hers. */
async function setUp({ browser, http, setupLink }) {
  const context = await browser.newContext({ locale: 'en-GB' })
  const page = await context.newPage()
  await page.goto(setupLink)
  await page.getByLabel(/name/i).first().fill(admin.name)
  await page.getByLabel(/mail/i).first().fill(admin.email)
  for (const field of await page.locator('input[type=password]').all()) await field.fill(admin.password)
  await page.locator('button[type=submit]').click()
  await page.waitForURL(/\/labs/)
  const answer = await context.request.post(`${http}/api/v1/tokens`, {
    data: { name: 'Notebook', scopes: ['read', 'run'], expiresInDays: 30 },
    headers: { origin: http },
  })
  const { token } = await answer.json()
  await context.close()
  return caller(http, token)
}

async function signIn(context, http) {
  const { email, password } = admin
  const answer = await context.request.post(`${http}/api/auth/sign-in/email`, {
    data: { email, password },
    headers: { origin: http },
  })
  if (!answer.ok()) throw new Error(`sign-in: ${answer.status()} ${await answer.text()}`)
}

/**
 * Takes each page in all four variants. A page is a path, or a function that makes the page ready and returns the path;
 * `prepare` is told each new context, for pages that need the network to be other than it is.
 */
async function shoot({ browser, http, folder, locale, pages, signedIn = true, prepare: ready = async () => {} }) {
  for (const colorScheme of ['light', 'dark']) {
    for (const [device, viewport] of Object.entries(devices)) {
      const phone = device === 'phone'
      const context = await browser.newContext({
        viewport,
        colorScheme,
        reducedMotion: 'reduce',
        baseURL: http,
        locale,
        isMobile: phone,
        hasTouch: phone,
        deviceScaleFactor: phone ? 2 : 1,
      })
      if (signedIn) await signIn(context, http)
      await ready(context)
      for (const [name, { path, act }] of Object.entries(pages)) {
        const page = await context.newPage()
        await page.goto(typeof path === 'string' ? path : await path())
        await settle(page)
        await act?.(page)
        await take(page, join(folder, `${name}-${colorScheme}-${device}.png`))
        if (phone) {
          await unroll(page, viewport)
          await take(page, join(folder, `${name}-${colorScheme}-${device}-whole.png`))
        }
        await page.close()
      }
      await context.close()
    }
  }
}

/** Waits until the page has drawn what it has. */
async function settle(page) {
  await page.waitForSelector('h1, h2')
  await page.waitForFunction(() => document.querySelector('[class*="mantine-Skeleton"]') === null)
  await page.evaluate(() => document.fonts.ready)
  await page.waitForLoadState('networkidle', { timeout: 1_200 }).catch(() => {}) // a followed run is never idle
  await sleep(300)
}

/** Makes the window as high as the page, so that what stays at its foot stands at the end. */
async function unroll(page, { width }) {
  const height = await page.evaluate(() => document.documentElement.scrollHeight)
  await page.setViewportSize({ width, height })
  await sleep(200)
}

async function take(page, path) {
  writeFileSync(path, squeeze(await page.screenshot({ caret: 'initial', animations: 'allow' })))
}

const drawn = (page) => page.waitForSelector('canvas', { timeout: 60_000 })

/** A hub on its first day, as its lists say it. */
const emptied = (context) =>
  context.route(/\/api\/v1\/(labs|benches|nodes|tokens|runs)(\?|$)/, (route) => route.fulfill({ json: { items: [] } }))

/** A hub that stops answering when the page is there. */
const falling = (page) =>
  page
    .route('**/api/**', (route) => route.abort())
    .then(() => page.getByRole('status').locator('button').waitFor({ timeout: 30_000 }))

async function shootAll({ browser, folder, locale, hub }) {
  const { http, setupLink } = hub
  const place = { browser, http, folder, locale }
  const strangers = (invitation) => ({
    join: { path: invitation },
    'sign-in': { path: '/sign-in' },
    forgot: { path: '/forgot' },
    reset: { path: '/reset#token=from-the-mail' },
    'reset-broken': { path: '/reset' },
    'labs-stranger': { path: '/labs' },
  })
  await shoot({ ...place, signedIn: false, pages: { setup: { path: setupLink } } })
  const [bench] = await freeBenches(hub.caller)
  const ada = await setUp({ browser, http, setupLink })
  const { link } = await hub.caller.call('/invitations', { role: 'student', most: 30, note: 'Physics 2, spring' })
  await shoot({ ...place, signedIn: false, pages: strangers(link) })

  const firstDay = ['labs', 'runs', 'benches', 'nodes', 'account']
  const empty = Object.fromEntries(firstDay.map((name) => [`empty-${name}`, { path: `/${name}` }]))
  await shoot({ ...place, pages: empty, prepare: emptied })

  const finished = async (lab, protocol) => ({
    path: `/runs/${await ada.ended(await ada.submit(lab, protocol))}`,
    act: drawn,
  })
  const run = await finished('rc-circuit', 'charge-curve')
  const pages = {
    labs: { path: '/labs' },
    lab: { path: '/labs/rc-circuit' },
    'lab-invalid': {
      path: '/labs/rc-circuit',
      act: (page) => page.locator('main input[inputmode]').first().fill('12 mA'),
    },
    diode: { path: '/labs/diode-iv' },
    membrane: { path: '/labs/membrane' },
    run,
    'run-diode': await finished('diode-iv', 'iv-curve'),
    'run-membrane': await finished('membrane', 'step-current'),
    running: {
      path: async () => `/runs/${await ada.submit('rc-circuit', 'charge-curve', { duration: 15 })}`,
      act: (page) => drawn(page).then(() => sleep(3000)),
    },
    downloads: { ...run, act: (page) => page.getByRole('button', { name: /download|descargar/i }).click() },
    bench: {
      path: `/benches/${bench.id}`,
      act: (page) => page.waitForSelector('td:not(:empty)').then(() => sleep(3000)),
    },
    nodes: { path: '/nodes' },
    people: { path: '/people' },
    invite: { path: '/people', act: (page) => page.locator('main header button, main button').first().click() },
    account: { path: '/account' },
    settings: { path: '/settings' },
    'not-found': { path: '/nowhere' },
    docs: { path: '/docs' },
  }
  await shoot({ ...place, pages })

  const long = () => ada.submit('rc-circuit', 'charge-curve', { duration: 60 })
  const stopped = await long()
  await ada.until(stopped, ({ rows }) => (rows.charge ?? 0) > 20)
  await ada.cancel(stopped)
  await ada.ended(stopped)

  // Enough before it that it waits for as long as the pictures take.
  const ahead = await Promise.all(Array.from({ length: 8 }, long))
  const queued = await ada.submit('rc-circuit', 'charge-curve')
  const onBench = async () => (await ada.call('/runs?state=running&limit=1')).items[0]?.id ?? ahead[0]
  await ada.until(ahead[0], ({ state }) => state === 'running')
  await shoot({
    ...place,
    pages: {
      waiting: { path: `/runs/${queued}` },
      'waiting-labs': { path: '/labs' },
      benches: { path: '/benches' },
      stop: {
        path: async () => `/runs/${await onBench()}`,
        act: (page) => page.locator('main header button').first().click(),
      },
    },
  })
  for (const id of [queued, ...ahead.reverse()]) await ada.cancel(id)

  await pushFailingLab(hub.caller)
  const failed = await ada.ended(await ada.submit('rc-circuit', 'charge-curve'))
  await shoot({
    ...place,
    pages: {
      'run-cancelled': { path: `/runs/${stopped}`, act: drawn },
      'run-left': { path: `/runs/${queued}` },
      'run-failed': { path: `/runs/${failed}`, act: drawn },
      runs: { path: '/runs' },
      lost: { path: '/labs', act: falling },
    },
  })
}

async function main(args) {
  const folder = resolve(args.find((arg) => !arg.startsWith('-')) ?? join(root, 'data/screenshots'))
  mkdirSync(folder, { recursive: true })
  if (!(await prepare())) return 1
  const { chromium } = await import('playwright-core')
  const hub = await startDemoHub()
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  })
  try {
    await shootAll({ browser, folder, locale: args.includes('--spanish') ? 'es-ES' : 'en-GB', hub })
    if (args.includes('--docs')) {
      const pictures = join(root, 'docs/pictures')
      mkdirSync(pictures, { recursive: true })
      for (const [from, to] of Object.entries(inGuides)) copyFileSync(join(folder, from), join(pictures, to))
      writeFileSync(join(root, 'hub/web/public/social.png'), squeeze(await socialPicture({ browser, http: hub.http })))
    }
    process.stdout.write(`${folder}\n`)
    return 0
  } finally {
    await browser.close()
    await hub.stop()
  }
}

process.exitCode = await main(process.argv.slice(2))
