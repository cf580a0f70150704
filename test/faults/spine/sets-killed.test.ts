/**
 * The hub is killed (-9) amid values that are set over MQTT: the record of the use has what was set from the first on
 * without a gap, lacks no more than the moment before the kill, and counts what it has.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { DirectUse, DirectUseDetail } from '@fernlab/shared/contracts/direct-use'
import { topics } from '@fernlab/shared/contracts/topics'
import mqtt from 'mqtt'
import * as assert from 'uvu/assert'
import { type FaultLab, node, startFaultLab } from '../../support/faults/fault-lab.ts'
import { pause, within } from '../../support/faults/hub-client.ts'
import { suite } from '../../support/suite.ts'

const test = suite('the hub is killed amid values set over MQTT', { timeoutMs: 120_000 })
const bench = `/api/v1/benches/${node}.one`
let lab: FaultLab

test.before(async () => {
  lab = await startFaultLab()
})
test.after(() => lab.close())

const holds = async (what: string, condition: () => Promise<boolean> | boolean) => {
  const looking = (async () => {
    while (!(await condition())) await pause(20)
  })()
  await within(30_000, what, looking)
}
const newest = async () => (await lab.client.get<{ items: DirectUse[] }>('/api/v1/usage/direct?limit=1')).items[0]
const connect = async () => {
  const { mqtt: url } = JSON.parse(readFileSync(join(lab.folder, 'hub-data/endpoints.json'), 'utf8')) as {
    mqtt: string
  }
  const json = { name: 'sets', scopes: ['run', 'mqtt:read'] }
  const { token } = (await lab.client.insist('POST', '/api/v1/tokens', json)).body as { token: string }
  const client = await mqtt.connectAsync(url, { username: 'token', password: token, reconnectPeriod: 0 })
  client.on('error', () => {})
  return client
}
/** Within this time what was set is in the database, also on a slow disk. */
const WRITTEN_MS = 1000
/** What the supply was told until then, in thousandths of a volt. */
const told = (from: number, until = Number.POSITIVE_INFINITY) =>
  lab.instruments.psu.received.slice(from).flatMap(({ atMs, line }) => {
    if (atMs > until) return []
    const [, volts] = /VOLT(?:AGE)? (\S+)$/i.exec(line.trim()) ?? []
    return volts === undefined ? [] : [Math.round(Number(volts) * 1000)]
  })
const counted = (count: number) => Array.from({ length: count }, (_, n) => n + 1)

for (const afterMs of [30, 130, 1300]) {
  test(`${afterMs} ms after the first`, async () => {
    const { hub, client } = lab
    const { parts } = await client.get<{ parts: Record<string, { instrument: string }> }>(bench)
    const topic = topics('main').signalSet(node, parts.supply?.instrument ?? '', 'voltage')
    const { lease } = (await client.insist('POST', `${bench}/lease`, { ttlS: 600 })).body as { lease: string }
    const sender = await connect()
    const before = lab.instruments.psu.received.length
    for (const n of counted(5000)) sender.publish(topic, JSON.stringify({ value: n / 1000, lease }))
    await holds('the first being set', () => told(before).length > 0)
    await pause(afterMs)
    const longBefore = told(before, performance.now() - WRITTEN_MS).length
    await hub.kill()
    await pause(200) // what the node had from the hub is done by then
    const set = told(before)
    await hub.start()
    await client.online(node)
    const use = await newest()
    const { given } = await client.get<DirectUseDetail>(`/api/v1/usage/direct/${use?.id}`)
    assert.equal(set, counted(set.length), 'set in order')
    assert.ok(set.length > 0 && set.length < 5000, `${set.length} were set before the kill`)
    assert.is(use?.endedAt, undefined)
    assert.is(given.length, Math.min(use?.exchanges ?? 0, 500), 'it counts what it has; the first 500 are shown')
    const recorded = given.map(({ set: values }) => Math.round(Number(values['supply.voltage']) * 1000))
    assert.equal(recorded, counted(recorded.length), 'from the first on, without a gap')
    assert.ok((use?.exchanges ?? 0) <= set.length, 'nothing that was not set')
    assert.ok((use?.exchanges ?? 0) >= longBefore, `${longBefore} were set a second before the kill`)
    assert.ok(afterMs < WRITTEN_MS || longBefore > 0)
    assert.ok(
      given.every(({ way, address, error }) => way === 'mqtt' && address === '127.0.0.1' && error === undefined),
    )
    const again = await connect()
    again.publish(topic, JSON.stringify({ value: 3, lease }))
    await holds('the use going on', async () => (await newest())?.exchanges === (use?.exchanges ?? 0) + 1)
    assert.is((await newest())?.id, use?.id)
    await Promise.all([sender.endAsync(true), again.endAsync(true)])
    await client.insist('DELETE', `${bench}/lease`)
  })
}

test.run()
