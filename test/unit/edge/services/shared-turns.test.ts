import { MOST_WAITING, SharedTurns } from '@fernlab/edge/services/gate/shared-turns'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite("turns of links at the node's process")

function process() {
  let now = 0
  const soon: (() => void)[] = []
  const turns = new SharedTurns({ clock: { monotonic: () => now }, soon: (callback) => void soon.push(callback) })
  /** The next turn of the event loop. */
  const turn = async () => {
    for (const callback of soon.splice(0)) callback()
    await Promise.resolve()
    await Promise.resolve()
  }
  return {
    turns,
    turn,
    pass: (ms: number) => {
      now += ms
    },
    pending: () => soon.length,
  }
}

const codeOf = (work: () => unknown) => {
  try {
    work()
    return undefined
  } catch (thrown) {
    return thrown instanceof LabError ? thrown.code : thrown
  }
}

test('what takes little begins at once, in each turn anew; after 5 ms it waits for the next', async () => {
  const { turns, turn, pass, pending } = process()
  const eve = turns.of(() => 'eve')
  assert.is(eve.before('rpc.batch'), undefined)
  pass(4)
  assert.is(eve.before('node/services'), undefined)
  pass(1)
  let begun = 0
  void eve.before('x/contract.get')?.then(() => begun++)
  assert.is(eve.before('x/act'), undefined, 'what is done elsewhere waits for nobody')
  await turn()
  assert.is(begun, 1)
  await turn()
  assert.is(eve.before('node/services'), undefined)
  await turn()
  assert.is(pending(), 0, 'nothing goes on for nobody')
})

test('of many that wait one goes on in each turn, and of each person one before anybody has another', async () => {
  const { turns, turn } = process()
  const done: string[] = []
  for (const [person, times] of [
    ['eve', 4],
    ['bob', 2],
    ['ada', 1],
  ] as const) {
    for (let n = 0; n < times; n++)
      void turns
        .of(() => person)
        .next()
        .then(() => done.push(person))
  }
  assert.equal(done, [])
  for (let n = 1; n <= 7; n++) {
    await turn()
    assert.is(done.length, n)
  }
  assert.equal(done, ['eve', 'bob', 'ada', 'eve', 'bob', 'eve', 'eve'])
})

test('who has too many that wait is refused more, and goes on with what was begun; another waits', async () => {
  const { turns, turn } = process()
  const [eve, bob] = [turns.of(() => 'eve'), turns.of(() => 'bob')]
  for (let n = 0; n < MOST_WAITING; n++) void eve.next()
  assert.is(
    codeOf(() => eve.before('rpc.batch')),
    'link-busy',
  )
  assert.is(
    codeOf(() => void eve.next()),
    undefined,
  )
  let isBegun = false
  void bob.before('rpc.batch')?.then(() => {
    isBegun = true
  })
  await turn()
  await turn()
  assert.ok(isBegun)
})

test.run()
