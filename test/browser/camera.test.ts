/// <reference lib="dom" />
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Session } from '@fernlab/shared/contracts/sessions'
import type { Browser, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { type CameraNode, startCameraNode } from '../integration/hub/camera-node.ts'
import { startTestHub, type TestHub, until } from '../integration/hub/hub-with-node.ts'
import { newPerson, type TestPerson } from '../integration/hub/session-people.ts'
import { root } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'
import { barriersOn } from './support/barriers.ts'
import { openBrowser } from './support/browser.ts'
import { visitAs } from './support/lab-page-stage.ts'

const test = suite('a camera in a panel', { timeoutMs: 60_000, hookTimeoutMs: 60_000, fileTimeoutMs: 240_000 })
let lab: TestHub
let node: CameraNode
let browser: Browser
let ada: TestPerson
let session: Session

test.before(async () => {
  lab = await startTestHub({ webFolder: join(root, 'hub/web/dist') })
  node = await startCameraNode(lab, lab.hub.httpUrl)
  ada = await newPerson(lab)
  browser = await openBrowser()
  session = (await ada.ask('POST', '/api/v1/sessions', { lab: 'oven' })).body as Session
  const state = async () => ((await ada.ask('GET', `/api/v1/sessions/${session.id}`)).body as Session).state
  await until(async () => (await state()) === 'active', 'the session is active', 20_000)
})
test.after(async () => {
  await browser?.close()
  await node?.close()
  await lab?.close()
})

const look = async (options = {}) => {
  const seen = await visitAs(browser, lab, ada, options)
  await seen.page.goto(`${lab.hub.httpUrl}/sessions/${session.id}`)
  return { ...seen, picture: seen.page.getByRole('img', { name: 'Camera: what the camera sees' }) }
}

/** How many levels of grey the picture has: a blank one has one. */
const levels = (page: Page) =>
  page.evaluate(() => {
    const canvas = document.querySelector('canvas')
    const { data = new Uint8ClampedArray() } =
      canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height) ?? {}
    return new Set(data).size
  })
const shown = async (page: Page) => await until(async () => (await levels(page)) > 50, 'a picture', 20_000)

test('shows what the camera sees, saves it, and says when it has stopped', async () => {
  const { page, picture, context, complaints } = await look()
  await picture.waitFor()
  await shown(page)
  assert.equal(
    await page.evaluate(() => [document.querySelector('canvas')?.width, document.querySelector('canvas')?.height]),
    [640, 480],
  )
  assert.equal(await barriersOn(page), [])
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Save this picture' }).click(),
  ])
  assert.match(file.suggestedFilename(), /^Camera \d{4}-\d\d-\d\dT[\d-]+\.\d+Z\.jpg$/)
  assert.equal([...readFileSync(await file.path()).subarray(0, 2)], [0xff, 0xd8])
  await page.getByRole('button', { name: 'Full screen' }).click()
  await page.waitForFunction(() => document.fullscreenElement?.tagName === 'CANVAS')
  await page.evaluate(() => document.exitFullscreen())
  node.freeze(true)
  await page.getByText(/^No picture for [2-4] s$/).waitFor()
  node.freeze(false)
  await page.getByText(/^No picture for/).waitFor({ state: 'detached', timeout: 30_000 })
  await shown(page)
  assert.equal(complaints, [])
  await context.close()
})

test('fits a phone by night', async () => {
  const { page, picture, context } = await look({ phone: true, scheme: 'dark' })
  await picture.waitFor()
  await shown(page)
  const box = await picture.boundingBox()
  assert.ok(box !== null && box.width > 250 && box.height > 150, JSON.stringify(box))
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(wide <= 0, `${wide} px too wide`)
  assert.equal(await barriersOn(page), [])
  await context.close()
})

/** Whether the page has a picture of so many pixels, loaded. */
const loaded = (page: Page) =>
  page.evaluate(() => [...document.querySelectorAll('img')].filter((one) => one.naturalWidth === 640).length)

test('takes a picture into the record; the page of the run shows it, with its time, and saves it', async () => {
  const { page, picture, context, complaints } = await look()
  await picture.waitFor()
  await shown(page)
  await page.getByRole('button', { name: 'Take a picture into the record' }).click()
  await page.getByText('The picture is in the record.').waitFor()
  await page.goto(`${lab.hub.httpUrl}/runs/${session.id}`)
  const taken = page.getByRole('img', { name: /^View at \d\d:\d\d:\d\d$/ })
  await taken.scrollIntoViewIfNeeded()
  await until(async () => (await loaded(page)) === 1, 'the picture is there')
  assert.equal(await barriersOn(page), [])
  const [file] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Save view-0001.jpg' }).click(),
  ])
  assert.is(file.suggestedFilename(), `${session.id}-view-0001.jpg`)
  assert.equal([...readFileSync(await file.path()).subarray(0, 2)], [0xff, 0xd8])
  assert.equal(complaints, [])
  await context.close()
})

test('pictures of a run fit a phone by night', async () => {
  const run = (await ada.ask('GET', `/api/v1/runs/${session.id}`)).body as { rows: Record<string, number> }
  assert.is(run.rows['view.pictures'], 1)
  const { page, context } = await visitAs(browser, lab, ada, { phone: true, scheme: 'dark' })
  await page.goto(`${lab.hub.httpUrl}/runs/${session.id}`)
  await page.getByRole('heading', { name: 'Pictures' }).scrollIntoViewIfNeeded()
  await until(async () => (await loaded(page)) === 1, 'the picture is there')
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(wide <= 0, `${wide} px too wide`)
  assert.equal(await barriersOn(page), [])
  await context.close()
})

test.run()
