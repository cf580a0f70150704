import { UnderWay } from '@fernlab/shared/rpc/peer/under-way'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what is under way')

test('is as in a map, whatever comes and goes, in the order in which it began', () => {
  const step = fc.record(
    { does: fc.constantFrom('add', 'take', 'clear'), id: fc.nat(4) },
    { requiredKeys: ['does', 'id'] },
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const all = new UnderWay<number, { readonly n: number }>()
      const map = new Map<number, { readonly n: number }>()
      for (const [n, { does, id }] of steps.entries()) {
        if (does === 'clear' && n % 5 === 0) {
          all.clear()
          map.clear()
        } else if (does === 'add' && !map.has(id)) {
          all.add(id, { n })
          map.set(id, { n })
        } else if (does === 'take') {
          assert.equal(all.take(id), map.get(id))
          map.delete(id)
        }
        assert.is(all.size, map.size)
        assert.equal([...all], [...map])
        for (let any = 0; any < 5; any++) {
          assert.equal(all.get(any), map.get(any))
          assert.is(all.has(any), map.has(any))
        }
      }
    }),
    { numRuns: 500 },
  )
})

test.run()
