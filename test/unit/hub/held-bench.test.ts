import { heldBench, heldMeanwhile } from '@fernlab/hub/fleet/held-bench'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what is said of a bench that somebody drives')
const since = '2030-01-01T08:00:00.000Z'
const bench = { id: 'pi.diode-1', since }

test('who may see people reads who has it, since when and what for', () => {
  const seen = { ...bench, leasedBy: { id: 'p1', name: 'Bo Bench' }, leaseReason: 'Bo sweeps' }
  const { code, retry, message, details } = heldBench(seen, { mayEnd: true })
  assert.equal([code, retry], ['bench-busy', 'later'])
  assert.is(
    message,
    `pi.diode-1 can't be taken: Bo Bench has it since ${since} (Bo sweeps); wait until it is given back, or unlock it with a reason`,
  )
  assert.equal(details, { since, by: 'Bo Bench', reason: 'Bo sweeps' })
})

test('others read since when, and whom to ask', () => {
  const { message, details } = heldBench(bench, { mayEnd: false })
  assert.is(
    message,
    `pi.diode-1 can't be taken: somebody else has it since ${since}; wait until it is given back, or ask who maintains the benches`,
  )
  assert.equal(details, { since })
})

test('whoever has it already is told so', () => {
  const { message, details } = heldBench({ ...bench, mine: true, leaseReason: 'a sweep' }, { mayEnd: false })
  assert.is(
    message,
    `pi.diode-1 can't be taken: you have it in another program or page, since ${since} (a sweep); give it back there, or unlock it`,
  )
  assert.equal(details, { since, mine: true, reason: 'a sweep' })
})

test('who meant the hold of another is told who has it now, as far as they may see people', () => {
  const held = { id: 'pi.diode-1', leasedSince: since }
  const { code, retry, message, details } = heldMeanwhile({
    ...held,
    leasedBy: { id: 'p1', name: 'Bo Bench' },
    leaseReason: 'Bo sweeps',
  })
  assert.equal([code, retry], ['hold-changed', 'never'])
  assert.is(
    message,
    `no hold was ended: that of pi.diode-1 is another than was meant, Bo Bench has it since ${since} (Bo sweeps)`,
  )
  assert.equal(details, { since, by: 'Bo Bench', reason: 'Bo sweeps' })
  assert.equal(heldMeanwhile(held).details, { since })
  assert.match(heldMeanwhile({ ...held, mine: true }).message, /another than was meant, you have it since /)
})

test.run()
