/** What a node says of the hub's rules is what the hub holds to. */
import { givenByHub, rightMissing } from '@fernlab/edge/services/gate/right-missing'
import { rightsFor } from '@fernlab/hub/directory/rights'
import { roles } from '@fernlab/shared/contracts/people'
import { serviceRightSchema } from '@fernlab/shared/contracts/services'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('where a missing right comes from')
const person = { personId: 'p1', name: 'Stu', email: 'stu@school.example', via: 'token' } as const
const scopes = ['read', 'run', 'account', 'builder', 'admin', 'mqtt:read', 'mqtt:status'] as const

const words = (list: readonly string[], last: string) =>
  list.length === 1 ? list[0] : `${list.slice(0, -1).join(', ')} ${last} ${list.at(-1)}`

for (const right of serviceRightSchema.options) {
  test(`the right ${right} is said to be given to whom the hub gives it, by the scopes by which it does`, () => {
    const asked = { hold: true, own: true }
    const has = roles.filter((role) => rightsFor({ ...person, role, scopes: 'all' }, asked).includes(right))
    const by = scopes.filter((scope) => rightsFor({ ...person, role: 'admin', scopes: [scope] }, asked).includes(right))
    const order = ['admin', 'instructor', 'builder', 'student', 'guest'] as const
    const named = order.filter((role) => has.includes(role)).map((role) => `${role}s`)
    const whom = has.length === roles.length ? 'everybody' : words(named, 'and')
    assert.equal(givenByHub[right], { roles: whom, scopes: words(by, 'or') })
  })
}

test('a token of the node’s own comes from the owner of its machine', () => {
  const { code, message } = rightMissing('unlock', 'the log of fit', { issuedHere: true })
  assert.is(code, 'right-missing')
  assert.match(message, /^this token does not open the log of fit: ask the owner .* NAME --right unlock\)$/)
})

test.run()
