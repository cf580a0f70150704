// npm run screenshots [-- folder]: every page of a demo hub, light and dark, desktop and phone; by default into
// data/screenshots. With --docs also renews the pictures that the guides show.

import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { prepare } from '../start/prepare.mjs'
import { squeeze } from './png.mjs'

const root = fileURLToPath(new URL('../../', import.meta.url))
const adminToken = 'screenshots-0123456789-0123456789'
const admin = { name: 'Ada Lovelace', email: 'ada@example.org', password: 'not-a-secret-at-all' }
const devices = { desktop: { width: 1280, height: 800 }, phone: { width: 390, height: 844 } }
const inGuides = {
  'run-light-desktop.png': 'run.png',
  'lab-light-desktop.png': 'lab.png',
  'labs-dark-phone.png': 'labs-phone.png',
  'labs-light-desktop.png': 'labs.png',
  'run-dark-desktop.png': 'run-dark.png',
  'running-dark-phone.png': 'running-phone.png',
}

async function startHub(dataFolder) {
  const child = spawn(process.execPath, ['scripts/start/start.mjs'], {
    cwd: root,
    stdio: ['ignore', 'pipe', 'inherit'],
    env: {
      ...process.env,
      FERNLAB_DATA: dataFolder,
      FERNLAB_PORT: '0',
      FERNLAB_MQTT_PORT: '0',
      FERNLAB_ADMIN_TOKEN: adminToken,
    },
  })
  let printed = ''
  child.stdout.on('data', (chunk) => {
    printed += chunk
  })
  const endpoints = join(dataFolder, 'endpoints.json')
  for (let i = 0; i < 600 && child.exitCode === null; i++) {
    if (existsSync(endpoints)) {
      const { http } = JSON.parse(readFileSync(endpoints, 'utf8'))
      const ready = await fetch(`${http}/readyz`).then(
        (response) => response.ok,
        () => false,
      )
      const setupLink = /https?:\/\/\S*setup\S+/.exec(printed)?.[0]
      if (ready && setupLink !== undefined) return { child, http, setupLink }
    }
    await sleep(100)
  }
  child.kill('SIGKILL')
  throw new Error(`the hub did not start\n${printed}`)
}

async function call({ http, token }, path, body) {
  const response = await fetch(`${http}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (!response.ok) throw new Error(`${path}: ${response.status} ${await response.text()}`)
  return response.json()
}

async function finishedRun(hub, lab, protocol) {
  const { id } = await call(hub, '/api/v1/runs', { lab, protocol, parameters: {} })
  for (let i = 0; i < 600; i++) {
    const run = await call(hub, `/api/v1/runs/${id}`)
    if (!['queued', 'assigned', 'running'].includes(run.state)) return id
    await sleep(200)
  }
  throw new Error(`run ${id} does not end`)
}

async function untilFree(hub) {
  for (let i = 0; i < 200; i++) {
    const { items } = await call(hub, '/api/v1/benches')
    if (items.length > 0 && items.every((bench) => bench.state === 'free')) return items
    await sleep(100)
  }
  throw new Error('the benches are not free')
}

async function setUp({ browser, setupLink, folder }) {
  const page = await browser.newPage({ viewport: devices.desktop })
  await page.goto(setupLink)
  await page.waitForLoadState('networkidle')
  await take(page, join(folder, 'setup-light-desktop.png'))
  await page.getByLabel(/name/i).first().fill(admin.name)
  await page.getByLabel(/mail/i).first().fill(admin.email)
  for (const field of await page.locator('input[type=password]').all()) await field.fill(admin.password)
  await page.locator('button[type=submit]').click()
  await page.waitForURL(/\/labs/)
  await page.close()
}

async function signIn(context, http) {
  const { email, password } = admin
  const answer = await context.request.post(`${http}/api/auth/sign-in/email`, {
    data: { email, password },
    headers: { origin: http },
  })
  if (!answer.ok()) throw new Error(`sign-in: ${answer.status()} ${await answer.text()}`)
}

/** A token of the person whose pages are shown, so that the runs are hers. */
async function tokenOf(browser, http) {
  const context = await browser.newContext()
  await signIn(context, http)
  const answer = await context.request.post(`${http}/api/v1/tokens`, {
    data: { name: 'Notebook', scopes: ['read', 'run'], expiresInDays: 30 },
    headers: { origin: http },
  })
  const { token } = await answer.json()
  await context.close()
  return token
}

async function shoot({ browser, http, folder, pages, signedIn }) {
  for (const colorScheme of ['light', 'dark']) {
    for (const [device, viewport] of Object.entries(devices)) {
      const phone = device === 'phone'
      const context = await browser.newContext({
        viewport,
        colorScheme,
        reducedMotion: 'reduce',
        baseURL: http,
        locale: 'en-GB',
        isMobile: phone,
        hasTouch: phone,
        deviceScaleFactor: phone ? 2 : 1,
      })
      if (signedIn) await signIn(context, http)
      const page = await context.newPage()
      for (const [name, path] of Object.entries(pages)) {
        await page.goto(typeof path === 'string' ? path : await path(page))
        await settle(page)
        if (/^run(-|ning|$)/.test(name)) await page.waitForSelector('canvas', { timeout: 60_000 })
        if (name === 'running') await sleep(3000)
        await take(page, join(folder, `${name}-${colorScheme}-${device}.png`))
        if (phone) await take(page, join(folder, `${name}-${colorScheme}-${device}-whole.png`), { fullPage: true })
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
  await sleep(1500)
}

async function take(page, path, options = {}) {
  writeFileSync(path, squeeze(await page.screenshot({ caret: 'initial', animations: 'allow', ...options })))
}

async function main(args) {
  const folder = resolve(args.find((arg) => !arg.startsWith('-')) ?? join(root, 'data/screenshots'))
  mkdirSync(folder, { recursive: true })
  if (!(await prepare())) return 1
  const { chromium } = await import('playwright-core')
  const dataFolder = mkdtempSync(join(tmpdir(), 'fernlab-screenshots-'))
  const { child, http, setupLink } = await startHub(dataFolder)
  const browser = await chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
  })
  try {
    const benches = await untilFree({ http, token: adminToken })
    await setUp({ browser, setupLink, folder })
    const ada = { http, token: await tokenOf(browser, http) }
    const run = await finishedRun(ada, 'rc-circuit', 'charge-curve')
    const diode = await finishedRun(ada, 'diode-iv', 'iv-curve')
    const membrane = await finishedRun(ada, 'membrane', 'step-current')
    const strangers = { 'sign-in': '/sign-in', forgot: '/forgot', reset: '/reset?token=from-the-mail' }
    const running = async () => {
      const parameters = { duration: 15 }
      const { id } = await call(ada, '/api/v1/runs', { lab: 'rc-circuit', protocol: 'charge-curve', parameters })
      return `/runs/${id}`
    }
    await shoot({ browser, http, folder, signedIn: false, pages: strangers })
    const pages = {
      labs: '/labs',
      lab: '/labs/rc-circuit',
      diode: '/labs/diode-iv',
      membrane: '/labs/membrane',
      runs: '/runs',
      run: `/runs/${run}`,
      'run-diode': `/runs/${diode}`,
      'run-membrane': `/runs/${membrane}`,
      running,
      benches: '/benches',
      bench: `/benches/${benches[0].id}`,
      nodes: '/nodes',
      account: '/account',
      settings: '/settings',
      'not-found': '/nowhere',
    }
    await shoot({ browser, http, folder, signedIn: true, pages })
    if (args.includes('--docs')) {
      const pictures = join(root, 'docs/pictures')
      mkdirSync(pictures, { recursive: true })
      for (const [from, to] of Object.entries(inGuides)) copyFileSync(join(folder, from), join(pictures, to))
    }
    process.stdout.write(`${folder}\n`)
    return 0
  } finally {
    await browser.close()
    child.kill('SIGTERM')
    await new Promise((done) => child.once('exit', done))
    rmSync(dataFolder, { recursive: true, force: true })
  }
}

process.exitCode = await main(process.argv.slice(2))
