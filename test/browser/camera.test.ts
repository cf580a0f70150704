/// <reference lib="dom" />
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Data } from '@fernlab/shared/contracts/api'
import type { Recording } from '@fernlab/shared/contracts/recordings'
import type { Session } from '@fernlab/shared/contracts/sessions'
import type { Browser, Page, Response } from 'playwright-core'
import * as assert from 'uvu/assert'
import { filmsIn, nearestFrame } from '../../hub/web/src/run/film.ts'
import { type CameraNode, startCameraNode } from '../integration/hub/camera-node.ts'
import { startTestHub, type TestHub, until } from '../integration/hub/hub-with-node.ts'
import { newPerson, type TestPerson } from '../integration/hub/session-people.ts'
import { root } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'
import { barriersOn } from './support/barriers.ts'
import { comes, openBrowser } from './support/browser.ts'
import { visitAs } from './support/lab-page-stage.ts'

const test = suite('a camera in a panel', { timeoutMs: 120_000, hookTimeoutMs: 60_000, fileTimeoutMs: 240_000 })
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
  await page.getByText(/^No picture for [2-9] s$/).waitFor()
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
  await until(async () => (await loaded(page)) === 1, 'the picture is there', 30_000)
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
  await until(async () => (await loaded(page)) === 1, 'the picture is there', 30_000)
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(wide <= 0, `${wide} px too wide`)
  assert.equal(await barriersOn(page), [])
  await context.close()
})

/** When the picture was seen that the film shows, by the page and by what is drawn. */
const shownAt = (page: Page) =>
  page.evaluate(() => [
    Date.parse(document.querySelector('section[aria-labelledby=recording] time')?.getAttribute('datetime') ?? '') /
      1000,
    Number(document.querySelector<HTMLCanvasElement>('section[aria-labelledby=recording] canvas')?.dataset.time),
  ])

test('who is filmed is told so, before and while they are', async () => {
  const { page, context, complaints } = await look()
  await page.getByText('This session is filmed (View).').waitFor()
  assert.equal(await barriersOn(page), [])
  await page.goto(`${lab.hub.httpUrl}/labs/oven`)
  await page.getByText('Live sessions of this lab are filmed (View).').waitFor()
  assert.equal(complaints, [])
  await context.close()
})

/** The numbers of the pieces in an answer, and what was known when it was asked for. */
const toldIn = async (answer: Response) => {
  const { cameras } = (await answer.json()) as Recording
  const pieces = cameras.flatMap((camera) => camera.pieces.map(({ number }) => number))
  return { since: new URL(answer.url()).searchParams.get('since'), pieces }
}

test('a film that is being made grows on the page by what is new alone', async () => {
  const { page, context, complaints } = await visitAs(browser, lab, ada, {})
  const asked: ReturnType<typeof toldIn>[] = []
  const listen = (answer: Response) => {
    if (new URL(answer.url()).pathname.endsWith('/recording')) asked.push(toldIn(answer))
  }
  page.on('response', listen)
  await page.goto(`${lab.hub.httpUrl}/runs/${session.id}`)
  const slider = page.getByRole('slider', { name: 'Moment of the film' })
  await slider.waitFor()
  const pictures = async () => Number(await slider.getAttribute('max'))
  const before = await pictures()
  await until(async () => (await pictures()) > before, 'the film grows', 20_000)
  await ada.ask('DELETE', `/api/v1/sessions/${session.id}`)
  await lab.final(session.id)
  const isAtRest = async () => (await Promise.all(asked)).at(-1)?.pieces.length === 0
  await until(isAtRest, 'nothing new comes', 30_000)
  page.off('response', listen)
  const answers = await Promise.all(asked)
  assert.equal(
    answers.map(({ since }) => since === null),
    answers.map((_, i) => i === 0),
  )
  const all = answers.flatMap(({ pieces }) => pieces)
  assert.is(new Set(all).size, all.length, 'each piece is told once')
  assert.ok(answers.filter(({ pieces }) => pieces.length > 0).length > 1, 'the film came in several answers')
  assert.equal(complaints, [])
  await context.close()
})

test("the chart's cursor shows the picture of that moment; the film is moved by keys and played", async () => {
  const { page, context, complaints } = await visitAs(browser, lab, ada, {})
  await page.goto(`${lab.hub.httpUrl}/runs/${session.id}`)
  const slider = page.getByRole('slider', { name: 'Moment of the film' })
  await slider.waitFor()
  const chart = page.getByRole('application')
  await chart.locator('.u-over').waitFor()
  const data = await (
    await fetch(`${lab.hub.httpUrl}/api/v1/runs/${session.id}/data.json?stream=readings`, { headers: ada.bearer })
  ).json()
  const { time: times } = data as Data
  const films = await fetch(`${lab.hub.httpUrl}/api/v1/runs/${session.id}/recording`, { headers: ada.bearer })
  const frames = filmsIn((await films.json()) as Recording)[0]?.frames ?? []
  const box = await chart.locator('.u-over').boundingBox()
  assert.ok(box !== null)
  const [first = 0, last = 0] = [times[0], times.at(-1)]
  for (const part of [0.3, 0.8]) {
    await page.mouse.move(box.x + part * box.width, box.y + box.height / 2)
    const near = first + part * (last - first)
    // A machine that has much to do films with gaps.
    const apart = Math.abs((frames[nearestFrame(frames, near)]?.time ?? near) - near)
    await until(
      async () => {
        const [said = 0, drawn = 0] = await shownAt(page)
        return Math.abs(said - drawn) < 0.002 && Math.abs(said - near) < apart + 0.5
      },
      `the picture under the pointer at ${part}`,
      30_000,
    )
  }
  await chart.focus()
  await page.keyboard.press('End')
  for (let row = 1; row <= 40; row++) await page.keyboard.press('ArrowLeft')
  const reading = times.at(-41) ?? 0
  const { time: nearest = 0 } = frames[nearestFrame(frames, reading)] ?? {}
  const isSeen = async () => Math.abs(((await shownAt(page))[1] ?? 0) - nearest) < 0.002
  await until(isSeen, 'the picture of the reading', 30_000)
  // A page that moves away under the pointer leaves the cursor where keys have put it.
  await chart.locator('.u-over').dispatchEvent('mouseleave')
  await page.keyboard.press('ArrowLeft')
  await page.keyboard.press('ArrowRight')
  await until(isSeen, 'the picture of the reading still', 30_000)
  const saidTimes = () => page.getByText(/the nearest picture is/).count()
  await comes(async () => (await saidTimes()) > 0, Math.abs(nearest - reading) > 0.05, `${nearest - reading} s`)
  const [before = 0] = await shownAt(page)
  await slider.focus()
  await page.keyboard.press('ArrowRight')
  const next = frames[frames.findIndex(({ time }) => Math.abs(time - before) < 0.002) + 1]?.time ?? 0
  await until(async () => Math.abs(((await shownAt(page))[1] ?? 0) - next) < 0.002, 'the next picture', 30_000)
  await page.getByRole('button', { name: 'Play the film' }).click()
  await until(async () => ((await shownAt(page))[1] ?? 0) > next + 0.5, 'it plays', 30_000)
  await page.getByRole('button', { name: 'Hold the film' }).click()
  const [film] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: /^Save the film of View, [\d.]+\sMB$/ }).click(),
  ])
  assert.match(film.suggestedFilename(), /-view\.mkv$/)
  assert.equal([...readFileSync(await film.path()).subarray(0, 4)], [0x1a, 0x45, 0xdf, 0xa3])
  const [table] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('link', { name: 'Times of its pictures, View (CSV)' }).click(),
  ])
  const lines = readFileSync(await table.path(), 'utf8')
    .trimEnd()
    .split('\r\n')
  assert.ok(lines.length > frames.length, `${lines.length} lines`)
  assert.equal(await barriersOn(page), [])
  assert.equal(complaints, [])
  await context.close()
})

test('a picture that can not be had is said to be, and no other stands in its place', async () => {
  const { page, context } = await visitAs(browser, lab, ada, {})
  let isBroken = false
  // All that is ever seen of it, for a moment, too.
  await page.addInitScript(() =>
    new MutationObserver((_changes, watch) => {
      const canvas = document.querySelector('section[aria-labelledby=recording] canvas')
      if (canvas === null || getComputedStyle(canvas).visibility !== 'visible') return
      document.documentElement.dataset.pictureSeen = ''
      watch.disconnect()
    }).observe(document, { subtree: true, childList: true, attributes: true }),
  )
  await page.route('**/recording/view/*', async (route) => {
    if (!isBroken) return await route.fulfill({ status: 404 })
    const answer = await route.fetch()
    const piece = await answer.body()
    // Whole as a piece, and each picture of it nothing but its first bytes.
    for (let at = 0; at < piece.length; at += 4 + piece.readUInt32BE(at))
      piece.fill(0, at + 14, at + 4 + piece.readUInt32BE(at))
    await route.fulfill({ response: answer, body: piece })
  })
  for (const broken of [false, true]) {
    isBroken = broken
    await page.goto(`${lab.hub.httpUrl}/runs/${session.id}`)
    await page.getByText('this picture can not be shown').waitFor({ timeout: 30_000 })
    assert.is(await page.locator('section[aria-labelledby=recording] canvas').isVisible(), false, String(broken))
    assert.is(await page.evaluate(() => 'pictureSeen' in document.documentElement.dataset), false, String(broken))
  }
  assert.equal(await barriersOn(page), [])
  await context.close()
})

test('a film fits a phone by night, and is moved by touch', async () => {
  const { page, context } = await visitAs(browser, lab, ada, { phone: true, scheme: 'dark' })
  await page.goto(`${lab.hub.httpUrl}/runs/${session.id}`)
  const slider = page.getByRole('slider', { name: 'Moment of the film' })
  await slider.scrollIntoViewIfNeeded()
  await until(async () => ((await shownAt(page))[1] ?? 0) > 0, 'a picture', 30_000)
  const [first = 0] = await shownAt(page)
  const box = await slider.boundingBox()
  assert.ok(box !== null && box.height >= 24)
  await page.touchscreen.tap(box.x + 0.9 * box.width, box.y + box.height / 2)
  await until(async () => ((await shownAt(page))[1] ?? 0) > first + 1, 'a later picture', 30_000)
  const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth)
  assert.ok(wide <= 0, `${wide} px too wide`)
  assert.equal(await barriersOn(page), [])
  await context.close()
})

test.run()
