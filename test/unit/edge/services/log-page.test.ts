import { logPage } from '@fernlab/edge/services/daemons/log-page'
import type { DaemonLine } from '@fernlab/shared/contracts/daemon-control'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('the log of a service, asked for again and again')
/** Of one daemon of several: numbers have gaps. */
const kept = [4, 7, 8, 12].map(
  (number): DaemonLine => ({ number, daemon: 'maths', time: '2026-01-01T00:00:00.000Z', from: 'output', text: 'x' }),
)
const page = (after: string, lines = 10, of = kept) => {
  const { lines: given, next, continues } = logPage(of, { lines, after }, 's1')
  return [given.map(({ number }) => number), next, continues]
}

test('what came since is told with a place to go on from', () => {
  assert.equal(page(''), [[4, 7, 8, 12], 's1.12', false])
  assert.equal(page('', 2), [[8, 12], 's1.12', false])
  assert.equal(page('s1.7'), [[8, 12], 's1.12', true])
  assert.equal(page('s1.12'), [[], 's1.12', true])
  assert.equal(page('s1.0'), [[4, 7, 8, 12], 's1.12', true])
})

test('where lines between are missing, those that are there take the place of the earlier ones', () => {
  assert.equal(page('s1.4', 2), [[8, 12], 's1.12', false])
  // Line 3 was dropped, and whatever came between it and 4 with it.
  assert.equal(page('s1.3'), [[4, 7, 8, 12], 's1.12', false])
  // The daemon was made anew.
  assert.equal(page('s1.12', 10, []), [[], 's1.0', false])
  // The node was started again, and numbers lines anew.
  assert.equal(page('s0.7'), [[4, 7, 8, 12], 's1.12', false])
  for (const after of ['s1', 's1.', 's1.-1', 's1.1e9', '.7', 'x'.repeat(9999)]) assert.not.ok(page(after)[2], after)
})

test.run()
