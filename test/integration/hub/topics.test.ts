/** What an integrator sees of a hub and its node over MQTT: the topics, their retained states, and no person's name. */
import { topics } from '@fernlab/shared/contracts/topics'
import mqtt, { type MqttClient } from 'mqtt'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'
import { admin, startTestHub, type TestHub, until } from './hub-with-node.ts'

const test = suite('what integrators see over MQTT', { timeoutMs: 20_000 })
const map = topics('main')
let lab: TestHub
let secret: string
const clients: MqttClient[] = []

test.before(async () => {
  lab = await startTestHub()
  await lab.node('shelf')
  const answer = await lab.call('/api/v1/tokens', { method: 'POST', json: { name: 'dash', scopes: ['mqtt:read'] } })
  secret = ((await answer.json()) as { token: string }).token
})
test.after(async () => {
  await Promise.all(clients.map((client) => client.endAsync(true)))
  await lab.close()
})

interface Message {
  readonly topic: string
  readonly payload: string
  readonly retain: boolean
}

async function watch(): Promise<Message[]> {
  const got: Message[] = []
  const client = mqtt.connect(lab.hub.mqttUrl, {
    username: 'token',
    password: secret,
    protocolVersion: 5,
    reconnectPeriod: 0,
  })
  clients.push(client)
  client.on('error', () => {})
  client.on('message', (topic, payload, { retain }) => got.push({ topic, payload: payload.toString(), retain }))
  await client.subscribeAsync('fernlab/v1/main/#')
  return got
}

const value = map.signal('shelf', 'box-1', 'value')

test('each state of a run is told, with what it is and not whose; readings and benches are told as they change', async () => {
  const got = await watch()
  const { run } = await lab.hub.runs.submit(admin, {
    lab: 'small',
    protocol: 'set',
    // Longer than a signal keeps quiet between two values.
    parameters: { value: 4, pause: 1.5 },
  })
  await lab.final(run.id)
  await until(() => got.some(({ topic }) => topic === map.hubRuns('succeeded')), 'the end')
  const told = got.filter(({ topic }) => topic.startsWith(`${map.base}/hub/runs/`))
  assert.equal(
    told.map(({ topic }) => topic),
    (['queued', 'assigned', 'running', 'succeeded'] as const).map((state) => map.hubRuns(state)),
  )
  for (const { topic, payload, retain } of told) {
    const notice = JSON.parse(payload)
    assert.equal(Object.keys(notice).sort(), ['at', 'attempt', 'bench', 'id', 'lab', 'protocol', 'state'])
    assert.equal([notice.id, topic.endsWith(`/${notice.state}`), retain], [run.id, true, false])
  }
  await until(() => got.some(({ topic, payload }) => topic === value && JSON.parse(payload).value === 4), 'the reading')
  await until(() => {
    const states = got
      .filter(({ topic }) => topic === map.bench('shelf', 'b-1'))
      .map(({ payload }) => JSON.parse(payload))
    return states.some(({ state, run: on }) => state === 'busy' && on === run.id) && states.at(-1)?.state === 'free'
  }, 'the states of the bench')
  const text = JSON.stringify(got)
  for (const personal of [admin.name, admin.email, admin.personId]) assert.not.ok(text.includes(personal), personal)
})

test('who comes later gets the present states at once, as retained', async () => {
  const got = await watch()
  const retained = (topic: string) => got.find((message) => message.topic === topic && message.retain)?.payload
  await until(() => retained(value) !== undefined && retained(map.bench('shelf', 'b-1')) !== undefined, 'the states')
  const reading = JSON.parse(retained(value) ?? '{}')
  assert.equal(Object.keys(reading).sort(), ['time', 'unit', 'value'])
  assert.equal([typeof reading.value, reading.unit], ['number', '1'])
  assert.ok(Math.abs(Date.now() - Date.parse(reading.time)) < 60_000, reading.time)
  assert.is(JSON.parse(retained(map.bench('shelf', 'b-1')) ?? '{}').state, 'free')
  assert.is(retained(map.hubStatus), 'online')
  assert.is(retained(map.nodeStatus('shelf')), 'online')
  await until(() => retained(map.nodeHealth('shelf')) !== undefined, 'the health')
  assert.not.ok(
    got.some(({ topic }) => topic.startsWith(`${map.base}/hub/runs/`)),
    'changes are not retained',
  )
})

test('a hub that stops says so first', async () => {
  const got = await watch()
  await until(() => got.some(({ topic, payload }) => topic === map.hubStatus && payload === 'online'), 'online')
  await lab.hub.close()
  assert.is(got.findLast(({ topic }) => topic === map.hubStatus)?.payload, 'offline')
})

test.run()
