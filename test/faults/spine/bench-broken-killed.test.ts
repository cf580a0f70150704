/**
 * The hub is killed (-9) while a bench breaks down under its person: the bench is out and nobody's, its person is at the
 * head of the queue once, with the rest of a session that had begun, and each change of the bench is one letter.
 */
import { benchFaultPoints } from '@fernlab/hub/fault-point'
import type { Bench, Run } from '@fernlab/shared/contracts/api'
import type { Session } from '@fernlab/shared/contracts/sessions'
import * as assert from 'uvu/assert'
import { keptOf, type MailServer, startMailServer } from '../../integration/accounts/mail-server.ts'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause, within } from '../../support/faults/hub-client.ts'
import { labFilesWith, labId } from '../../support/faults/lab-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the hub is killed while a bench breaks down', { timeoutMs: 120_000 })
let lab: FaultLab
let mail: MailServer

/** What it prepares has touched the bench, which is left unclean when the meter is lost. */
const labSession = {
  seconds: 600,
  prepare: [{ set: { 'supply.voltage': 1 } }, { wait: 300 }],
  cleanUp: [{ read: { signals: ['meter.voltage'] } }],
}

test.before(async () => {
  mail = await startMailServer()
  lab = await startFaultLab({ session: labSession, hubEnv: { FERNLAB_SMTP_URL: mail.url } })
})
test.after(async () => {
  await lab.close()
  await mail.close()
})

const bench = `${node}.one`
const run = (id: string) => lab.client.get<Run>(`/api/v1/runs/${id}`)
const holds = async (what: string, condition: () => Promise<boolean> | boolean) => {
  const looking = (async () => {
    while (!(await condition())) await pause(50)
  })()
  await within(60_000, what, looking)
}
/** Who holds which bench. */
const held = async () =>
  (await lab.client.get<{ items: Bench[] }>('/api/v1/benches')).items.flatMap(({ id, run: holder }) =>
    holder === undefined ? [] : [[id, holder]],
  )
const letters = (what: string) =>
  keptOf(mail.letters.filter((letter) => new RegExp(`^Subject: .*${what}`, 'm').test(letter))).size

for (const point of ['before-stop-commit', 'after-requeue-commit', ...benchFaultPoints] as const) {
  test(`at ${point}`, async () => {
    const { hub, client, instruments } = lab
    const [told, toldBack] = [letters('is out of use'), letters('is of use again')]
    const { body } = await client.insist('POST', '/api/v1/sessions', { lab: labId })
    const { id } = body as Session
    await holds('the session preparing its bench', async () => (await instruments.supply()).volts === 1)
    const other = await client.submit({ lab: labId, protocol: 'steps-safe', parameters: { points: 1 }, priority: 1 })
    await hub.kill()
    await hub.start({ FERNLAB_FAULT_POINT: point })
    const ended = hub.ended()
    hub.watch()
    await client.online(node)
    instruments.dmm.unplug()
    await holds('the person being next', async () => (await run(id)).attempt === 2)
    instruments.dmm.plugIn()
    assert.is(await within(60_000, `the hub passing ${point}`, ended), 'SIGKILL')
    await hub.settled()
    hub.unwatch()
    await client.online(node)
    await holds('the letter', () => letters('is out of use') > told)
    const [waits, second] = [await run(id), await run(other)]
    assert.equal([waits.state, waits.attempt, waits.position, second.position], ['queued', 2, 1, 2])
    assert.match(
      waits.reason ?? '',
      /^we are sorry: the bench broke down \(.*\); you are back at the head of the queue$/,
    )
    assert.equal(await held(), [])
    await client.insist('POST', `/api/v1/benches/${bench}/put-back`)
    await client.reached(id, ['running'])
    assert.equal(await held(), [[bench, id]])
    await client.insist('POST', `/api/v1/runs/${id}/cancel`)
    const [record] = await lab.check([id, other])
    const [once, again] = [['queued', 'assigned', 'running'] as const, ['queued', 'assigned', 'running'] as const]
    assert.equal(record?.history, [...once, ...again, 'cancelled'])
    // Letters about a bench go out one after the other: another of the first kind would have come before this.
    await holds('the letter of its coming back', () => letters('is of use again') > toldBack)
    assert.equal([letters('is out of use'), letters('is of use again')], [told + 1, toldBack + 1])
  })
}

for (const point of ['before-stop-commit', 'after-stop-commit'] as const) {
  test(`of a session that is active, at ${point}`, async () => {
    const { hub, client, instruments } = lab
    const quick = { ...labSession, prepare: [{ set: { 'supply.voltage': 1 } }] }
    const files = Object.entries(labFilesWith(quick)).map(([path, text]) => ({ path, text }))
    await client.insist('PUT', `/api/v1/labs/${labId}`, { files })
    const { body } = await client.insist('POST', '/api/v1/sessions', { lab: labId })
    const { id } = body as Session
    const session = () => client.get<Session>(`/api/v1/sessions/${id}`)
    await holds('the session being active', async () => (await session()).state === 'active')
    await hub.kill()
    await hub.start({ FERNLAB_FAULT_POINT: point })
    const ended = hub.ended()
    hub.watch()
    await client.online(node)
    instruments.dmm.unplug()
    await holds('the session being over', async () => (await session()).state === 'closed')
    instruments.dmm.plugIn()
    assert.is(await within(60_000, `the hub passing ${point}`, ended), 'SIGKILL')
    await hub.settled()
    hub.unwatch()
    await client.online(node)
    const { reason, next = '' } = await session()
    assert.match(reason ?? '', /^we are sorry: the bench broke down \(.*the rest of your time is next in line$/, reason)
    const sessions = (await client.get<{ items: Session[] }>('/api/v1/sessions')).items
    assert.equal(
      sessions.flatMap((one) => (one.state === 'closed' ? [] : [[one.id, one.state, one.position]])),
      [[next, 'waiting', 1]],
    )
    assert.equal(await held(), [])
    await client.insist('POST', `/api/v1/benches/${bench}/put-back`)
    await client.reached(next, ['running'])
    await client.insist('POST', `/api/v1/sessions/${id}/finish`)
    await client.insist('POST', `/api/v1/sessions/${next}/finish`)
    await lab.check([id, next])
  })
}

test.run()
