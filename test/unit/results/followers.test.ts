import { createFollowers, LOOKS_AT_ONCE, MOST_OF_A_PERSON } from '@fernlab/hub/results/followers'
import type { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('those who follow runs')

const turns = async () => {
  for (let i = 0; i < 20; i++) await Promise.resolve()
}

test('of hundreds that look at once few are under way, in the order in which they came, also where some fail', async () => {
  const { look } = createFollowers()
  const begun: number[] = []
  const done: (() => void)[] = []
  const looks = Array.from({ length: 300 }, (_, n) =>
    look(async () => {
      begun.push(n)
      await new Promise<void>((resolve) => done.push(resolve))
      if (n % 3 === 0) throw new RangeError(`look ${n}`)
      return n
    }).catch((error: Error) => error.message),
  )
  for (let n = 0; n < 300; n++) {
    await turns()
    assert.is(begun.length - n, Math.min(LOOKS_AT_ONCE, 300 - n))
    done[n]?.()
  }
  assert.equal(
    begun,
    Array.from({ length: 300 }, (_, n) => n),
  )
  assert.equal((await Promise.all(looks)).slice(0, 4), ['look 0', 1, 2, 'look 3'])
  assert.is(await look(async () => 'after all'), 'after all')
})

test('a person has so many answers open, whoever else has some; one that ends, breaks or is left makes room', async () => {
  const followers = createFollowers()
  const endless = async function* (): AsyncGenerator<number, void, void> {
    for (let n = 0; ; n++) yield n
  }
  const open = async (person: string, make: () => AsyncGenerator<number, void, void> = endless) => {
    const answer = followers.answer(person, async () => make())
    await answer.next()
    return answer
  }
  const refusal = (person: string) =>
    open(person).then(
      () => 'none',
      (error: LabError) => error.code,
    )
  const broken = async function* (): AsyncGenerator<number, void, void> {
    yield 1
    throw new RangeError('broken')
  }
  const short = async function* (): AsyncGenerator<number, void, void> {
    yield 1
  }
  const breaking = await open('ada', broken)
  const ending = await open('ada', short)
  const left = await open('ada')
  for (let n = 3; n < MOST_OF_A_PERSON; n++) await open('ada')
  assert.is(await refusal('ada'), 'follows-too-many')
  await open('bert')
  assert.is((await ending.next()).done, true)
  await open('ada')
  assert.is(await refusal('ada'), 'follows-too-many')
  assert.is(
    await breaking.next().then(
      () => '',
      (error: Error) => error.message,
    ),
    'broken',
  )
  await open('ada')
  assert.is(await refusal('ada'), 'follows-too-many')
  await left.return()
  await open('ada')
  assert.is(await refusal('ada'), 'follows-too-many')
  // One that could not be made, and one that nobody reads, take none.
  const another = createFollowers()
  for (let n = 0; n <= MOST_OF_A_PERSON; n++) {
    const failing = another.answer('ada', () => Promise.reject(new RangeError('not made')))
    assert.is(
      await failing.next().then(
        () => '',
        (error: Error) => error.message,
      ),
      'not made',
    )
    another.answer('ada', async () => endless())
  }
  assert.is((await another.answer('ada', async () => endless()).next()).value, 0)
})

test.run()
