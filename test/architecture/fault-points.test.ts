import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as edge from '@fernlab/edge/fault-point'
import * as hub from '@fernlab/hub/fault-point'
import * as assert from 'uvu/assert'
import { root } from '../support/source-files.ts'
import { suite } from '../support/suite.ts'

const test = suite('places at which hub and node may be killed')

/** Each list of places, and the fault tests that kill at every one of it. */
const killedBy = {
  hub: {
    faultPoints: ['spine/hub-killed'],
    brokerFaultPoints: ['spine/broker-killed'],
    bookingFaultPoints: ['spine/booking-killed'],
    bookingStartFaultPoints: ['spine/booking-start-killed', 'spine/session-end-killed'],
    bookingEndFaultPoints: ['spine/booking-missed-killed', 'spine/session-end-killed'],
    bookingAgainFaultPoints: ['spine/session-end-killed'],
    bookingLetterFaultPoints: ['spine/booking-letter-killed'],
    bumpFaultPoints: ['spine/bump-killed'],
    extendFaultPoints: ['spine/session-end-killed'],
    finishFaultPoints: ['spine/session-end-killed'],
    recurringFaultPoints: ['spine/recurring-killed'],
    checkFaultPoints: ['spine/check-killed'],
    lostFaultPoints: ['spine/session-away-killed'],
    benchFaultPoints: ['spine/bench-broken-killed'],
    importFaultPoints: ['spine/import-killed'],
    turnFaultPoints: ['spine/every-commit-killed'],
    suspendFaultPoints: ['spine/suspend-killed'],
    recordingFaultPoints: ['spine/recording-killed'],
  },
  edge: {
    faultPoints: ['spine/edge-killed', 'edge/edge-kill'],
    labServerFaultPoints: ['edge/lab-server-killed'],
    calibrationFaultPoints: ['edge/calibration-killed'],
    pictureFaultPoints: ['edge/picture-killed'],
    addedFaultPoints: ['edge/added-killed'],
  },
}

const listsOf = (lists: Readonly<Record<string, readonly string[]>>) => Object.entries(lists)
const { hubFaultPoints, ...hubLists } = hub

for (const [program, lists] of [
  ['hub', listsOf(hubLists)],
  ['edge', listsOf(edge)],
] as const) {
  test(`a fault test kills at each place of ${program}`, () => {
    const known: Readonly<Record<string, readonly string[]>> = killedBy[program]
    assert.equal(Object.keys(known).sort(), lists.map(([name]) => name).sort())
    for (const [name, files] of Object.entries(known))
      for (const file of files) {
        const text = readFileSync(join(root, `test/faults/${file}.test.ts`), 'utf8')
        assert.match(text, new RegExp(`@fernlab/${program}/fault-point`), file)
        assert.match(
          text,
          new RegExp(`(for \\(const point of (\\[.*\\.\\.\\.)?${name}\\b|${name}\\.forEach)`),
          `${file} takes all of ${name}`,
        )
      }
  })
}

test('each list of the hub may be named in its settings', () => {
  assert.equal(
    [...hubFaultPoints].sort(),
    listsOf(hubLists)
      .flatMap(([, points]) => points)
      .sort(),
  )
})

test.run()
