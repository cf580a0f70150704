import { createMqttSets } from '@fernlab/hub/fleet/mqtt-sets'
import { topics } from '@fernlab/shared/contracts/topics'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('values set over MQTT')

/** A bench that ada holds, whose exchanges take until they are let go. */
function start() {
  const clock = new ManualClock()
  const held = { node: 'n', id: 'n.b', parts: { box: 'box-1' }, lease: { lease: 'key', holder: 'ada' } }
  const under: { readonly value: unknown; done(): void }[] = []
  const came: string[] = []
  const sets = createMqttSets({
    site: 'main',
    book: { benches: new Map([['n.b', held]]) as never },
    exchange: async (bench, { set }, by) => {
      const value = set?.['box.value']
      try {
        await by.turn?.()
        await new Promise<void>((resolve) => under.push({ value, done: resolve }))
        came.push(`${bench} ${value}`)
        return {}
      } catch (error) {
        came.push(`${value}: ${(error as Error).message}`)
        throw error
      }
    },
    clock,
    log: recordingLog(),
  })
  let cut = false
  const sender = { tokenId: 't', personId: 'ada', address: undefined, isCut: () => cut }
  const topic = topics('main').signalSet('n', 'box-1', 'value')
  const send = (value: number) =>
    sets.take({ topic, payload: Buffer.from(JSON.stringify({ value, lease: 'key' })) }, sender)
  return { clock, sets, under, came, send, cut: () => (cut = true) }
}

test('of one bench one value is set at a time, in order', async () => {
  const { under, came, send } = start()
  const sent = [send(1), send(2), send(3)]
  for (const value of [1, 2, 3]) {
    await new Promise(setImmediate)
    assert.equal(
      under.map((one) => one.value),
      [value],
    )
    under.pop()?.done()
  }
  await Promise.all(sent)
  assert.equal(came, ['n.b 1', 'n.b 2', 'n.b 3'])
})

test('what waits for longer than five seconds, for a connection that was cut or a hub that stops is not set', async () => {
  const { clock, sets, under, came, send, cut } = start()
  const next = async (sent: readonly Promise<void>[]) => {
    await new Promise(setImmediate)
    under.pop()?.done()
    await Promise.all(sent)
  }
  const late = [send(1), send(2)]
  await clock.advance(5001)
  const fresh = send(3)
  await next(late)
  await next([fresh])
  const [fourth, fifth] = [send(4), send(5)]
  cut()
  await next([fourth, fifth])
  sets.close()
  await send(6)
  assert.equal(came, [
    'n.b 1',
    '2: those before it took longer than 5000 ms',
    'n.b 3',
    '4: its connection was cut before it was its turn',
    '5: its connection was cut before it was its turn',
    '6: its connection was cut before it was its turn',
  ])
})

test.run()
