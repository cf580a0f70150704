import * as assert from 'uvu/assert'
import {
  type Choice,
  type CoursePerson,
  chosenPeople,
  orderOf,
  sortAfter,
} from '../../../hub/web/src/usage/course-people.ts'
import { suite } from '../../support/suite.ts'

const test = suite('whom of a course the page shows')

const lab = (name: string, uses: number, succeeded: number) => ({
  lab: name,
  uses,
  succeeded,
  seconds: uses * 60,
  lastAt: `2027-03-0${uses}T10:00:00.000Z`,
  lastState: 'failed' as const,
})
const person = (name: string, ...labs: ReturnType<typeof lab>[]): CoursePerson => ({
  person: { id: name, name },
  email: `${name.toLowerCase()}@school.example`,
  uses: labs.reduce((sum, { uses }) => sum + uses, 0),
  seconds: labs.reduce((sum, { seconds }) => sum + seconds, 0),
  ...(labs[0] === undefined ? {} : { lastAt: labs[0].lastAt }),
  labs,
})
const people = [person('Cy'), person('Ana', lab('rc', 2, 1), lab('iv', 5, 0)), person('Bo', lab('iv', 3, 1))]
const shown = (choice: Choice) => chosenPeople(people, choice).map(({ person: { name }, uses }) => `${name} ${uses}`)

test('everybody by name; by a part of the name or the address', () => {
  assert.equal(shown({}), ['Ana 7', 'Bo 3', 'Cy 0'])
  assert.equal(shown({ who: ' BO@sch' }), ['Bo 3'])
  assert.equal(shown({ who: 'nobody' }), [])
})

test('in one lab: who is done, who is not, and who has not begun', () => {
  assert.equal(shown({ lab: 'rc' }), ['Ana 2', 'Bo 0', 'Cy 0'])
  assert.equal(shown({ lab: 'rc', standing: 'done' }), ['Ana 2'])
  assert.equal(shown({ lab: 'iv', standing: 'open' }), ['Ana 5', 'Cy 0'])
  assert.equal(shown({ lab: 'iv', standing: 'none' }), ['Cy 0'])
  assert.equal(shown({ standing: 'none' }), ['Cy 0'])
  assert.is(chosenPeople(people, { lab: 'rc', who: 'bo' })[0]?.lastAt, undefined, 'of another lab')
})

test('by what a head asks for: the most first, then the least', () => {
  assert.is(sortAfter(undefined, 'time'), '-time')
  assert.is(sortAfter('-time', 'time'), 'time')
  assert.is(sortAfter(undefined, 'name'), '-name')
  assert.is(sortAfter('-time', 'name'), 'name')
  assert.equal(orderOf('size'), { key: 'name', down: false })
  assert.equal(shown({ sort: '-uses' }), ['Ana 7', 'Bo 3', 'Cy 0'])
  assert.equal(shown({ sort: 'last' }), ['Cy 0', 'Ana 7', 'Bo 3'])
})

test.run()
