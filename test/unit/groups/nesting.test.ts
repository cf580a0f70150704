import { countsIn, innerGroups, inside, type Nested, outwards } from '@fernlab/hub/groups/nesting'
import fc from 'fast-check'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('groups within groups')
const tree = (...groups: (Partial<Nested> & { id: string })[]) =>
  new Map(groups.map((group) => [group.id, { within: null, starts_at: null, ends_at: null, ...group }]))
const sorted = (ids: Iterable<string>) => [...ids].sort()

const school = tree(
  { id: 'school' },
  { id: 'physics', within: 'school', starts_at: 100, ends_at: 200 },
  { id: 'lab-a', within: 'physics' },
  { id: 'lab-b', within: 'physics', starts_at: 150 },
  { id: 'club' },
)

test('whoever is in an inner group counts in the outer ones', () => {
  assert.equal(sorted(countsIn(school, ['lab-a'], 160)), ['lab-a', 'physics', 'school'])
  assert.equal(sorted(countsIn(school, ['school'], 160)), ['school'])
  assert.equal(sorted(countsIn(school, ['lab-b', 'club'], 160)), ['club', 'lab-b', 'physics', 'school'])
  assert.equal(sorted(inside(innerGroups(school), ['physics'])), ['lab-a', 'lab-b', 'physics'])
})

test('a course that has not begun or is over gives nothing, nor a way through it', () => {
  assert.equal(sorted(countsIn(school, ['lab-b'], 149)), [])
  assert.equal(sorted(countsIn(school, ['lab-a'], 99)), ['lab-a'])
  assert.equal(sorted(countsIn(school, ['lab-a'], 100)), ['lab-a', 'physics', 'school'])
  assert.equal(sorted(countsIn(school, ['lab-a'], 200)), ['lab-a'])
})

test('a group that is gone ends the way, and a ring ends too', () => {
  assert.equal(
    outwards(tree({ id: 'a', within: 'gone' }), 'a').map(({ id }) => id),
    ['a'],
  )
  assert.equal(
    outwards(tree({ id: 'a', within: 'b' }, { id: 'b', within: 'a' }), 'a').map(({ id }) => id),
    ['a', 'b'],
  )
})

test('what lies inside groups is what has one of them on its way outwards, in any tree, rings and gaps among them', () => {
  const id = fc.integer({ min: 0, max: 11 }).map((at) => `g${at}`)
  const groups = fc.uniqueArray(fc.record({ id, within: fc.option(id) }), { selector: (group) => group.id })
  fc.assert(
    fc.property(groups, fc.array(id, { maxLength: 3 }), (some, asked) => {
      const all = tree(...some)
      const expected = [...all.keys()].filter((one) => outwards(all, one).some((outer) => asked.includes(outer.id)))
      assert.equal(sorted(inside(innerGroups(all), asked)), sorted(expected))
    }),
  )
})

test.run()
