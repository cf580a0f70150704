/**
 * The hub is killed (-9) at every single commit of a bench that is given to one, handed over to a booking, and then to who
 * waits: no life of the hub makes more than a few commits. Each time the file is sound, no bench is held by nobody or by
 * two, and in the end everybody has had the bench once, one after the other.
 */
import { turnFaultPoints } from '@fernlab/hub/fault-point'
import type { Booking } from '@fernlab/shared/contracts/bookings'
import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { assertHoldsAreSound } from '../../support/faults/holds.ts'
import { type HubClient, pause } from '../../support/faults/hub-client.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { newPerson } from '../../support/faults/new-person.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the hub is killed at every commit', { timeoutMs: 240_000 })
let lab: FaultLab
let first: HubClient
let next: HubClient
/** Neither has a session nor books: that it looks changes nothing. */
let staff: HubClient

test.before(async () => {
  lab = await startFaultLab({ session: { seconds: 600, cleanUp: [{ set: { 'supply.voltage': 0.5 } }] } })
  const url = `http://127.0.0.1:${lab.httpPort}`
  first = (await newPerson(url, lab.client)).client
  next = (await newPerson(url, lab.client)).client
  staff = (await newPerson(url, lab.client, { role: 'admin' })).client
})
test.after(() => lab.close())

const sessionOf = (id: string) => staff.get<Session>(`/api/v1/sessions/${id}`)
const reaches = async (id: string, state: Session['state']): Promise<Session> => {
  for (;;) {
    const session = await sessionOf(id)
    if (session.state === state) return session
    await pause(50)
  }
}
/** Asks for it, also when the hub died over it, until it is so. */
async function bring(ask: () => Promise<unknown>, isDone: () => Promise<boolean>): Promise<void> {
  while (!(await isDone())) {
    await ask().catch(() => undefined)
    await pause(50)
  }
}
const reserve = async (who: HubClient): Promise<string> => {
  const { body } = await who.insist('POST', '/api/v1/sessions', { lab: labId })
  return (body as Session).id
}
const finish = (id: string) =>
  bring(
    () => staff.ask('POST', `/api/v1/sessions/${id}/finish`),
    async () => (await sessionOf(id)).state === 'closed',
  )
const booked = async (): Promise<Booking | undefined> => {
  const { items } = await lab.client.get<{ items: Booking[] }>('/api/v1/bookings')
  return items.find(({ state }) => state === 'now')
}

/** Reserve, book, reserve; the bench goes from one to the next. Answers the sessions in that order. */
async function pass(): Promise<readonly string[]> {
  const { client } = lab
  const one = await reserve(first)
  await reaches(one, 'active')
  const start = new Date().toISOString()
  await bring(
    () => client.ask('POST', '/api/v1/bookings', { lab: labId, start, seconds: 600 }),
    async () => (await booked()) !== undefined,
  )
  const last = await reserve(next)
  await finish(one)
  while ((await booked())?.session === undefined) await pause(50)
  const { id = '', session = '' } = (await booked()) ?? {}
  await reaches(session, 'active')
  assert.is((await sessionOf(last)).state, 'waiting')
  await bring(
    () => client.ask('POST', `/api/v1/bookings/${id}/cancel`),
    async () => (await sessionOf(session)).state === 'closed',
  )
  await reaches(last, 'active')
  await finish(last)
  return [one, session, last]
}

/** Does it while the hub is started again, armed, as often as it dies; answers how often that was. */
async function killedAgainAndAgain(point: string, act: () => Promise<readonly string[]>) {
  const { hub, database } = lab
  await hub.kill()
  let deaths = 0
  let isOver = false
  const living = (async () => {
    while (!isOver) {
      hub.launch({ FERNLAB_FAULT_POINT: point })
      await hub.ended()
      if (isOver) return
      deaths++
      await assertHoldsAreSound(database)
    }
  })()
  try {
    const done = await Promise.race([act(), living.then(() => [])])
    return { done, deaths }
  } finally {
    isOver = true
    await hub.kill()
    await living
    await hub.start()
    await lab.client.online(node)
  }
}

for (const point of turnFaultPoints) {
  // Before the first nothing would ever be kept.
  const nth = point === 'before-turn-commit' ? 4 : 1
  test(`at ${point}:${nth}`, async () => {
    const { done, deaths } = await killedAgainAndAgain(`${point}:${nth}`, pass)
    assert.ok(deaths >= 8 / nth, `the hub died ${deaths} times`)
    const records = await lab.check(done)
    assert.equal(
      records.map(({ attempts }) => attempts.length),
      [1, 1, 1],
      'a dead hub is no reason to run anything twice',
    )
    const times = await Promise.all(done.map(sessionOf))
    for (const [at, { activeAt = '' }] of times.entries()) {
      const before = times[at - 1]?.endedAt ?? ''
      assert.ok(activeAt !== '' && before <= activeAt, `${before} ${activeAt}`)
    }
    const { items } = await lab.client.get<{ items: Session[] }>('/api/v1/sessions')
    assert.equal(
      items.filter(({ state }) => state !== 'closed'),
      [],
    )
    await assertHoldsAreSound(lab.database)
  })
}

test.run()
