/// <reference lib="dom" />
import type { Panel } from '@fernlab/shared/contracts/panel'
import type { Browser, Locator, Page } from 'playwright-core'
import * as assert from 'uvu/assert'
import { suite } from '../support/suite.ts'
import { type VisitOptions, visit } from './support/browser.ts'
import type { FakeHub } from './support/fake-hub.ts'
import type { FakeSession } from './support/fake-session.ts'
import { stage } from './support/stage.ts'

const test = suite('every kind of widget, placed freely', { timeoutMs: 120_000, fileTimeoutMs: 240_000 })
let hub: FakeHub
let browser: Browser

stage(test, (given) => {
  ;({ hub, browser } = given)
})

const start = 1_700_000_000

/** Every kind, not in the order in which it stands on the desk, and with a hole beside the slider. */
const widgets: Panel['widgets'] = [
  { kind: 'switch', title: 'Supply', signal: 'psu.output', place: { column: 11, row: 3, width: 2 } },
  { kind: 'led', title: 'Live', signal: 'psu.output', place: { column: 9, row: 3, width: 1 } },
  { kind: 'led', title: 'Full', signal: 'dmm.voltage', above: 3, place: { column: 10, row: 3, width: 1 } },
  {
    kind: 'slider',
    title: 'Voltage',
    signal: 'psu.voltage',
    limits: { low: 0, high: 10 },
    step: 0.1,
    place: { column: 1, row: 5, width: 6 },
  },
  {
    kind: 'knob',
    title: 'Amplitude',
    signal: 'fgen.amplitude',
    limits: { low: 0, high: 8 },
    step: 0.1,
    place: { column: 9, row: 1, width: 2, height: 2 },
  },
  {
    kind: 'number',
    title: 'Frequency',
    signal: 'fgen.frequency',
    limits: { low: 1, high: 1000 },
    place: { column: 9, row: 5, width: 4 },
  },
  { kind: 'button', title: 'One pulse', action: 'fgen.pulse', place: { column: 9, row: 4, width: 4 } },
  {
    kind: 'gauge',
    title: 'Capacitor',
    signal: 'dmm.voltage',
    limits: { low: 0, high: 5 },
    place: { column: 11, row: 1, width: 2, height: 2 },
  },
  {
    kind: 'waveform',
    title: 'Screen',
    signals: ['dmm.voltage'],
    seconds: 2,
    trigger: { signal: 'dmm.voltage', level: 2 },
    place: { column: 1, row: 1, width: 8, height: 4 },
  },
  {
    kind: 'chart',
    title: 'Voltages',
    signals: ['psu.voltage', 'dmm.voltage'],
    seconds: 10,
    place: { column: 1, row: 6, width: 7, height: 3 },
  },
  { kind: 'log', title: 'Done so far', place: { column: 8, row: 6, width: 5, height: 3 } },
]

const titles = widgets.map(({ title }) => String(title))
const panelOf = (page: Page) => page.getByRole('switch', { name: 'Supply' }).locator('xpath=../../..')
const placed = (page: Page, title: string) => panelOf(page).locator('> div').nth(titles.indexOf(title))
const lamp = (page: Page, title: string) => placed(page, title).locator('p')

async function driving(options: VisitOptions = {}) {
  const session = hub.addSession({ panel: { widgets } })
  const visitor = await visit(browser, options)
  await visitor.page.goto(`${hub.url}/sessions/${session.session.id}`)
  await visitor.page.getByText('You have the controls.').waitFor()
  await visitor.page.locator('canvas').nth(1).waitFor()
  await session.listened()
  return { session, ...visitor }
}

/** The bench is read: all stands still at first. */
function readAtRest(session: FakeSession) {
  session.read(start, {
    'psu.voltage': 2,
    'psu.output': false,
    'dmm.voltage': 1.25,
    'fgen.frequency': 50,
    'fgen.amplitude': 2,
  })
}

/** Six seconds of a sine around 2 V. */
function readSine(session: FakeSession, height: number) {
  const time = Array.from({ length: 300 }, (_, i) => start + 1 + i / 50)
  session.readMany({ 'dmm.voltage': { time, values: time.map((at) => 2 + height * Math.sin(2 * Math.PI * at)) } })
}

const sets = (session: FakeSession, key: string) =>
  session.heard.flatMap(({ method, params }) => {
    const value = method === 'set' ? (params.values as Record<string, unknown>)[key] : undefined
    return value === undefined ? [] : [Number(value)]
  })

/** How many points of a drawing have a colour: its lines; axes and grid are grey. */
const coloured = (drawing: Locator) =>
  drawing.locator('canvas').evaluate((canvas: HTMLCanvasElement) => {
    const points = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? []
    let count = 0
    for (let i = 0; i < points.length; i += 4) {
      const rgb = [points[i] ?? 0, points[i + 1] ?? 0, points[i + 2] ?? 0]
      if ((points[i + 3] ?? 0) > 128 && Math.max(...rgb) - Math.min(...rgb) > 60) count++
    }
    return count
  })

/** Resolves when the drawing has at least so many points of colour. */
async function drawn(drawing: Locator, least: number): Promise<void> {
  while ((await coloured(drawing)) < least) await drawing.page().evaluate(() => new Promise(requestAnimationFrame))
}

async function centreOf(place: Locator) {
  // Into the middle: at the edges the heads and feet of the page lie over it.
  await place.evaluate((element) => element.scrollIntoView({ block: 'center', behavior: 'instant' }))
  const box = await place.boundingBox()
  if (box === null) throw new Error(`${String(place)} is not to be seen`)
  return { ...box, cx: box.x + box.width / 2, cy: box.y + box.height / 2 }
}

interface Drag {
  readonly from: readonly [x: number, y: number]
  readonly to: readonly [x: number, y: number]
}

const along = ({ from, to }: Drag, steps = 6) =>
  Array.from({ length: steps }, (_, i) => ({
    x: from[0] + ((to[0] - from[0]) * (i + 1)) / steps,
    y: from[1] + ((to[1] - from[1]) * (i + 1)) / steps,
  }))

async function dragByMouse(page: Page, drag: Drag): Promise<void> {
  await page.mouse.move(...drag.from)
  await page.mouse.down()
  for (const { x, y } of along(drag)) await page.mouse.move(x, y)
  await page.mouse.up()
}

async function dragByTouch(page: Page, drag: Drag): Promise<void> {
  const finger = await page.context().newCDPSession(page)
  const at = (type: 'touchStart' | 'touchMove' | 'touchEnd', touchPoints: { x: number; y: number }[]) =>
    finger.send('Input.dispatchTouchEvent', { type, touchPoints })
  await at('touchStart', [{ x: drag.from[0], y: drag.from[1] }])
  for (const point of along(drag)) await at('touchMove', [point])
  await at('touchEnd', [])
  await finger.detach()
}

/** Drags knob and slider within and beyond their ends; what goes out stays within. */
async function dragBoth(page: Page, session: FakeSession, drag: (page: Page, way: Drag) => Promise<void>) {
  const knob = page.getByRole('slider', { name: 'Amplitude' })
  const { cx, cy } = await centreOf(knob)
  await drag(page, { from: [cx, cy], to: [cx, cy - 50] })
  await session.until(() => sets(session, 'fgen.amplitude').at(-1) === 4)
  assert.is(await knob.getAttribute('aria-valuenow'), '4')
  await drag(page, { from: [cx, cy], to: [cx, Math.max(1, cy - 400)] })
  await session.until(() => sets(session, 'fgen.amplitude').at(-1) === 8)
  assert.ok(
    sets(session, 'fgen.amplitude').every((value) => value >= 2 && value <= 8),
    String(sets(session, 'fgen.amplitude')),
  )

  const slider = page.getByRole('slider', { name: 'Voltage', exact: true })
  const box = await centreOf(slider)
  const thumb = 28
  const onTrack = (part: number) => box.x + thumb / 2 + part * (box.width - thumb)
  await drag(page, { from: [onTrack(0.2), box.cy], to: [onTrack(0.5), box.cy] })
  await session.until(() => Math.abs((sets(session, 'psu.voltage').at(-1) ?? 0) - 5) < 0.3)
  await drag(page, { from: [onTrack(0.5), box.cy], to: [page.viewportSize()?.width ?? 0, box.cy] })
  await session.until(() => sets(session, 'psu.voltage').at(-1) === 10)
  assert.is(await slider.getAttribute('aria-valuetext'), '10.0\u202fV')
  assert.ok(
    sets(session, 'psu.voltage').every((value) => value >= 0 && value <= 10),
    String(sets(session, 'psu.voltage')),
  )
}

test('each kind shows what the bench reads; lamps say it in a word, screen and chart draw, the log lists', async () => {
  const { session, page, context, complaints } = await driving()
  assert.equal(await lamp(page, 'Live').textContent(), '–')
  readAtRest(session)
  await lamp(page, 'Live').getByText('off', { exact: true }).waitFor()
  assert.equal(await lamp(page, 'Full').textContent(), 'off')
  assert.is(await lamp(page, 'Full').getAttribute('data-lit'), 'false')
  assert.is(await page.getByRole('switch', { name: 'Supply' }).getAttribute('aria-checked'), 'false')
  assert.is(await page.getByRole('slider', { name: 'Voltage', exact: true }).inputValue(), '2')
  assert.is(await page.getByRole('slider', { name: 'Amplitude' }).getAttribute('aria-valuenow'), '2')
  assert.match((await placed(page, 'Frequency').textContent()) ?? '', /50/)
  assert.is(await page.getByRole('meter', { name: 'Capacitor' }).getAttribute('aria-valuenow'), '1.25')

  const screen = page.getByRole('img', { name: /^Screen/ })
  const chart = page.getByRole('img', { name: /^Voltages/ })
  assert.is(await coloured(screen), 0, 'one reading makes no line')
  assert.is(await coloured(chart), 0)
  readSine(session, 1)
  await drawn(screen, 150)
  await drawn(chart, 150)
  const before = await screen.locator('canvas').evaluate((canvas: HTMLCanvasElement) => canvas.toDataURL())
  session.read(start + 7.5, { 'dmm.voltage': 4, 'psu.output': true })
  await lamp(page, 'Live').getByText('on', { exact: true }).waitFor()
  assert.is(await lamp(page, 'Full').textContent(), 'on')
  assert.is(await lamp(page, 'Full').getAttribute('data-lit'), 'true')
  await placed(page, 'Screen').getByText('4.000').waitFor()
  await placed(page, 'Screen').getByText('Capacitor').waitFor()
  await page.waitForFunction(([canvas, was]) => (canvas as HTMLCanvasElement).toDataURL() !== was, [
    await screen.locator('canvas').elementHandle(),
    before,
  ] as const)

  const log = page.getByRole('region', { name: 'Done so far' })
  await log.getByText('Nothing was done yet.').waitFor()
  await page.getByRole('button', { name: 'One pulse' }).click()
  await page.getByRole('switch', { name: 'Supply' }).click()
  await log.getByRole('listitem').nth(1).waitFor()
  assert.match((await log.getByRole('listitem').first().textContent()) ?? '', /Ana Ruiz[\s\S]*Supply → off/)
  assert.match((await log.getByRole('listitem').nth(1).textContent()) ?? '', /[Pp]ulse/)
  assert.equal(
    session.heard.map(({ method }) => method),
    ['call', 'set'],
  )
  assert.equal(complaints, [])
  await context.close()
})

test('on the desk each stands where it is placed; knob and slider are dragged by the mouse', async () => {
  const { session, page, context, complaints } = await driving()
  readAtRest(session)
  await lamp(page, 'Live').getByText('off', { exact: true }).waitFor()
  const panel = await centreOf(panelOf(page))
  const gap = 12
  const column = (panel.width + gap) / 12
  const boxes = await Promise.all(titles.map((title) => placed(page, title).boundingBox()))
  const tops = new Map<number, number>()
  for (const [i, { place }] of widgets.entries()) {
    const box = boxes[i]
    if (box === null || box === undefined) throw new Error(`${titles[i]} is not to be seen`)
    const { column: first = 0, row = 0, width = 0 } = place ?? {}
    assert.ok(Math.abs(box.x - panel.x - (first - 1) * column) < 1, `${titles[i]} stands at ${box.x}`)
    assert.ok(Math.abs(box.width - (width * column - gap)) < 1, `${titles[i]} is ${box.width} wide`)
    const top = tops.get(row) ?? box.y
    assert.ok(Math.abs(box.y - top) < 1, `${titles[i]} begins with its row`)
    tops.set(row, top)
  }
  const inOrder = [...tops].sort(([one], [other]) => one - other).map(([, top]) => top)
  assert.equal(
    inOrder,
    [...inOrder].sort((one, other) => one - other),
  )
  const bottomOf = (title: string) => {
    const box = boxes[titles.indexOf(title)]
    return (box?.y ?? 0) + (box?.height ?? 0)
  }
  assert.ok(Math.abs(bottomOf('Screen') - bottomOf('One pulse')) < 1, 'a screen of four rows ends with the fourth')

  await dragBoth(page, session, dragByMouse)
  assert.equal(complaints, [])
  await context.close()
})

test('on a phone they stand in the order of the list, nothing reaches over the side, and a finger drives all', async () => {
  const { session, page, context, complaints } = await driving({ phone: true })
  readAtRest(session)
  await lamp(page, 'Live').getByText('off', { exact: true }).waitFor()
  let below = Number.NEGATIVE_INFINITY
  for (const title of titles) {
    const box = await placed(page, title).evaluate((element) => {
      const { left, right, top, bottom } = element.getBoundingClientRect()
      return { left, right, top: top + scrollY, bottom: bottom + scrollY }
    })
    assert.ok(box.top >= below, `${title} stands below the one before`)
    assert.ok(box.left >= 0 && box.right <= 390, `${title} is on the page`)
    below = box.bottom
  }
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 390, 'no scrolling sideways')

  await page.getByRole('switch', { name: 'Supply' }).tap()
  await session.until(() => session.heard.length === 1)
  await page.getByRole('button', { name: 'One pulse' }).tap()
  await session.called('call')
  const field = page.getByRole('textbox', { name: 'Frequency' })
  await field.tap()
  await field.fill('2000')
  const send = placed(page, 'Frequency').getByRole('button')
  await send.tap()
  await page.getByText(/The most is 1000\u202fHz/).waitFor()
  assert.equal(sets(session, 'fgen.frequency'), [])
  await field.fill('200')
  await send.tap()
  await session.until(() => sets(session, 'fgen.frequency').at(-1) === 200)
  await dragBoth(page, session, dragByTouch)
  readSine(session, 1)
  await drawn(page.getByRole('img', { name: /^Screen/ }), 150)
  assert.equal(complaints, [])
  await context.close()
})

test.run()
