import { outages } from '@fernlab/hub/bench-care/outages'
import { firstFree } from '@fernlab/hub/runs/first-free'
import { withMargin } from '@fernlab/hub/scheduling/reserved'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { cases } from '../../support/long.ts'
import { suite } from '../../support/suite.ts'

const test = suite('when a bench is free for so long')
const minute = 60_000

test('it is the first minute at which what is planned and booked leaves room, and else for how long there is any', () => {
  const spans = (most: number) =>
    fc
      .array(fc.tuple(fc.nat(600), fc.integer({ min: 1, max: 120 })), { maxLength: most })
      .map((list) => list.map(([from, length]) => ({ from: from * minute, until: (from + length) * minute })))
  let kept = 0
  fc.assert(
    fc.property(spans(5), spans(8), fc.integer({ min: 1, max: 180 }), (closed, booked, lastsMin) => {
      const plans = closed.map((when, at) => ({
        ...{ id: `${at}`, reason: 'fuse', atOnce: false, when, createdBy: 's', createdAt: 0 },
      }))
      const until = 600 * minute
      const fits = (start: number, lastsS: number) =>
        outages(plans, start, start + lastsS * 1000).length === 0 &&
        !booked.some((one) => one.from < start + withMargin(lastsS) && start < one.until)
      const starts = Array.from({ length: 600 }, (_, at) => at * minute)
      const first = starts.find((start) => fits(start, lastsMin * 60))
      const found = firstFree({ plans, booked, from: 0, until }, lastsMin * 60)
      if ('at' in found) return assert.is(found.at, first)
      kept++
      assert.is(first, undefined)
      assert.ok(found.mostS < lastsMin * 60)
      if (found.mostS > 0) assert.ok(starts.some((start) => fits(start, found.mostS)))
      assert.not(starts.some((start) => fits(start, found.mostS + 1)))
    }),
    { numRuns: cases(2000) },
  )
  assert.ok(kept > 20, `${kept}`)
})

test.run()
