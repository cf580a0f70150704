import * as assert from 'uvu/assert'
import { restfulFrames } from '../../../hub/web/src/panel/restful-frames.ts'
import { suite } from '../../support/suite.ts'

const test = suite('a page that hears more than it can draw')

/** A page whose frames come every 16 ms and whose drawings take as long as the test says. */
function page() {
  let nowMs = 0
  let due: { atMs: number; then: () => void }[] = []
  const at = (atMs: number, then: () => void) => {
    due = [...due, { atMs, then }].sort((one, other) => one.atMs - other.atMs)
  }
  const drawnMs: number[] = []
  const schedule = restfulFrames({
    nowMs: () => nowMs,
    frame: (draw) => at((Math.floor(nowMs / 16) + 1) * 16, draw),
    rest: (then, ms) => at(nowMs + ms, then),
  })
  return {
    drawnMs,
    /** Asks for a drawing that takes so long. */
    hear: (tookMs: number) =>
      schedule(() => {
        drawnMs.push(nowMs)
        nowMs += tookMs
      }),
    /** Lets time go on until then. */
    until: (endMs: number) => {
      for (let next = due[0]; next !== undefined && next.atMs <= endMs; next = due[0]) {
        due = due.slice(1)
        nowMs = Math.max(nowMs, next.atMs)
        next.then()
      }
      nowMs = Math.max(nowMs, endMs)
    },
  }
}

test('a quick drawing is in the next frame, each time', () => {
  const { hear, until, drawnMs } = page()
  for (const ms of [0, 100, 116, 132]) {
    until(ms)
    hear(2)
  }
  until(200)
  assert.equal(drawnMs, [16, 112, 128, 144])
})

test('after a drawing that took long, the page rests as long, and draws what it heard meanwhile once', () => {
  const { hear, until, drawnMs } = page()
  hear(200)
  until(16)
  assert.equal(drawnMs, [16])
  until(300)
  hear(200)
  until(400)
  assert.equal(drawnMs, [16], 'it rests from 216 to 416')
  until(500)
  assert.equal(drawnMs, [16, 432])
})

test('a page that slept through the end of a drawing shows what it hears soon after', () => {
  const { hear, until, drawnMs } = page()
  hear(3_600_000)
  until(16)
  hear(1)
  until(3_610_000)
  assert.equal(drawnMs, [16, 3_602_032])
})

test('what is heard after the rest is drawn at once', () => {
  const { hear, until, drawnMs } = page()
  hear(200)
  until(1000)
  hear(1)
  until(1100)
  assert.equal(drawnMs, [16, 1008])
})

test('a drawing that fails ends neither the rest nor the drawings after it', () => {
  let due: (() => void)[] = []
  const later = (then: () => void) => {
    due.push(then)
  }
  const schedule = restfulFrames({ nowMs: () => 0, frame: later, rest: later })
  const runAll = () => {
    while (due.length > 0) {
      const now = due
      due = []
      for (const then of now) then()
    }
  }
  schedule(() => {
    throw new Error('no canvas')
  })
  assert.throws(runAll, /no canvas/)
  runAll()
  let drawn = 0
  schedule(() => {
    drawn += 1
  })
  runAll()
  assert.is(drawn, 1)
})

test.run()
