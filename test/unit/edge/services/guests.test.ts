import { Guests } from '@fernlab/edge/services/gate/guests'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('who has come and has not signed in')

function door(clients = 2, mostGuests = 4) {
  const guests = new Guests({ clients, mostGuests })
  const left: string[] = []
  const come = (address: string, name: string) => {
    const guest = guests.come(address)
    guest.onLeave = () => void left.push(name)
    return guest
  }
  return { guests, left, come }
}

test('the oldest of the address that has the most makes room, whoever comes', () => {
  const { left, come } = door()
  come('10.0.0.1', 'a1')
  come('10.0.0.2', 'b1')
  const second = come('10.0.0.1', 'a2')
  come('10.0.0.1', 'a3')
  assert.equal(left, [])
  come('10.0.0.3', 'c1')
  come('10.0.0.1', 'a4')
  assert.equal(left, ['a1', 'a2'])
  // Who had to go counts no more.
  second.left()
  come('10.0.0.4', 'd1')
  assert.equal(left, ['a1', 'a2', 'a3'])
})

test('an address of IPv6 is its network, and one of IPv4 the same in either form', () => {
  const { left, come } = door()
  come('10.0.0.1', 'four')
  for (const [n, address] of ['2001:db8:0:1::1', '2001:db8::1:0:0:0:2', '2001:db8:0:1:2:3:4:5'].entries())
    come(address, `six ${n}`)
  come('::ffff:10.0.0.1', 'four again')
  assert.equal(left, ['six 0'])
})

test('who has signed in has a place of their own, and the next is told, until one is gone', () => {
  const { guests, left, come } = door()
  const [one, two, three] = ['1', '2', '3'].map((name) => come('10.0.0.1', name))
  one?.enter()
  one?.enter()
  two?.enter()
  assert.ok(guests.isFull)
  let told: LabError | undefined
  try {
    three?.enter()
  } catch (thrown) {
    told = thrown as LabError
  }
  assert.equal([told?.code, told?.retry], ['too-many-clients', 'later'])
  for (let n = 0; n < 10; n++) come('10.0.0.1', `more ${n}`)
  assert.is(left[0], '3')
  assert.is(left.length, 7)
  one?.left()
  one?.left()
  assert.not(guests.isFull)
  come('10.0.0.2', 'late').enter()
  assert.ok(guests.isFull)
})

test.run()
