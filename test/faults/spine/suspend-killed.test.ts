/**
 * The hub is killed (-9) at every step of shutting a person out: once it is back the person is shut out, with every sign-in
 * ended and nothing under way, or is not and goes on as before; nothing in between.
 */
import { suspendFaultPoints } from '@fernlab/hub/fault-point'
import type { Bench, PersonInfo, Run } from '@fernlab/shared/contracts/api'
import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause, within } from '../../support/faults/hub-client.ts'
import { labId } from '../../support/faults/lab-files.ts'
import { type NewPerson, newPerson } from '../../support/faults/new-person.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the hub is killed while a person is shut out', { timeoutMs: 90_000 })
let lab: FaultLab
const url = () => `http://127.0.0.1:${lab.httpPort}`

test.before(async () => {
  lab = await startFaultLab({ session: { seconds: 600, cleanUp: [{ set: { 'supply.voltage': 0.5 } }] } })
})
test.after(() => lab.close())

interface UnderWay {
  readonly person: NewPerson
  /** Active, waiting behind it, and a bench that is held without either. */
  readonly session: string
  readonly run: string
  readonly bench: string
}

/** Somebody of the staff with all that one can have under way. */
async function underWay(): Promise<UnderWay> {
  const person = await newPerson(url(), lab.client, { role: 'instructor' })
  const { body } = await person.client.insist('POST', '/api/v1/sessions', { lab: labId })
  const { id: session } = body as Session
  await until(async () => (await sessionOf(session)).state === 'active', 'the session being active')
  const run = await person.client.submit({ lab: labId, protocol: 'steps-safe', parameters: { points: 1 } })
  const bench = `${node}.two`
  await person.client.insist('POST', `/api/v1/benches/${bench}/lease`, { ttlS: 3600 })
  assert.is(await stateOf(bench), 'busy')
  return { person, session, run, bench }
}

const sessionOf = (id: string) => lab.client.get<Session>(`/api/v1/sessions/${id}`)
const runOf = (id: string) => lab.client.get<Run>(`/api/v1/runs/${id}`)
const stateOf = async (bench: string) => (await lab.client.get<Bench>(`/api/v1/benches/${bench}`)).state
const until = (condition: () => Promise<boolean>, what: string) =>
  within(
    20_000,
    what,
    (async () => {
      while (!(await condition())) await pause(50)
    })(),
  )

const isSuspended = async (id: string) => {
  const { items } = await lab.client.get<{ items: PersonInfo[] }>('/api/v1/users')
  return items.find((one) => one.id === id)?.suspendedAt !== undefined
}
/** What their sign-in and their token are answered. */
async function answers({ client, cookie }: NewPerson): Promise<number[]> {
  const bySignIn = await fetch(`${url()}/api/v1/me`, { headers: { cookie, origin: url() } })
  return [bySignIn.status, (await client.ask('GET', '/api/v1/me')).status]
}

/** Armed from before anything is under way, since only the suspension passes the points. */
async function killedAt(point: string): Promise<UnderWay> {
  const { hub, client } = lab
  await hub.kill()
  await hub.start({ FERNLAB_FAULT_POINT: point })
  await client.online(node)
  const all = await underWay()
  const ended = hub.ended()
  const asked = client.ask('POST', `/api/v1/users/${all.person.id}/suspend`).catch(() => undefined)
  assert.is(await within(30_000, `the hub passing ${point}`, ended), 'SIGKILL')
  await asked
  await hub.start()
  return all
}

async function assertShutOut({ person, session, run, bench }: UnderWay): Promise<void> {
  const { client } = lab
  assert.is(await isSuspended(person.id), true)
  assert.equal(await answers(person), [401, 401])
  const waited = await runOf(run)
  assert.equal([waited.state, waited.reason], ['cancelled', 'the account was suspended'], 'as soon as anybody can look')
  await until(async () => (await sessionOf(session)).state === 'closed', 'the session being over')
  assert.is((await sessionOf(session)).reason, 'the account was suspended')
  await until(async () => (await stateOf(bench)) === 'free', 'the bench being given back')
  await lab.check([session, run])
  const { items } = await client.get<{ items: { action: string }[] }>(`/api/v1/audit?subject=${person.id}`)
  assert.is(items.filter(({ action }) => action === 'person.suspended').length, 1)
  await client.insist('POST', `/api/v1/users/${person.id}/restore`)
  assert.equal(await answers(person), [401, 200], 'who comes back signs in anew')
}

for (const point of suspendFaultPoints) {
  test(`at ${point}`, async () => {
    const all = await killedAt(point)
    const { person, session, run, bench } = all
    if (point === 'before-suspend-commit') {
      assert.is(await isSuspended(person.id), false)
      assert.equal(await answers(person), [200, 200])
      await lab.client.online(node)
      const left = [(await sessionOf(session)).state, (await runOf(run)).state, await stateOf(bench)]
      assert.equal(left, ['active', 'queued', 'busy'], 'all goes on')
      await lab.client.insist('POST', `/api/v1/users/${person.id}/suspend`)
    }
    await assertShutOut(all)
  })
}

test.run()
