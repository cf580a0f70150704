/** A Modbus line that lives on keeps nothing of what has been asked over it. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { ModbusLine } from '@fernlab/firmware-bridge/modbus/line'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock as clock } from '@fernlab/shared/primitives/clock'
import { silentLog as log } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('a modbus line', { timeoutMs: 30_000 })
const never = new AbortController().signal

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

async function joined() {
  const worlds = createWorlds({ clock })
  const openTransport = createOpenTransport({ worlds, clock, log })
  const transport = { kind: 'emulated', world: 'heat', device: 'modbus' } as const
  const line = new ModbusLine({ transport, framing: 'rtu', openTransport, clock })
  return await line.join(() => {}, never)
}

test('answers are let go of, while the line stays open', async () => {
  const member = await joined()
  const asked = { instrument: 'meter', unit: 2, what: 'reading input 4', timeoutMs: 1000 }
  const ask = async () => {
    const answer = await member.request({ ...asked, perform: (client) => client.readInputRegisters(4, 1) }, never)
    assert.is(answer.data.length, 1)
    return new WeakRef(answer)
  }
  const answers: WeakRef<object>[] = []
  for (let i = 0; i < 20; i++) answers.push(await ask())
  // References that a job has looked at are kept until its end.
  await new Promise((resolve) => setImmediate(resolve))
  collect()
  const kept = answers.slice(0, -1).filter((answer) => answer.deref() !== undefined).length
  assert.is(kept, 0, `${kept} of 19 answers are still held`)
  await member.leave()
})

test('an urgent request goes before those that wait, and others in the order of asking', async () => {
  const member = await joined()
  const done: string[] = []
  const ask = async (name: string, urgent = false) => {
    const asked = { instrument: name, unit: 2, what: 'reading input 4', timeoutMs: 1000, urgent }
    await member.request({ ...asked, perform: (client) => client.readInputRegisters(4, 1) }, never)
    done.push(name)
  }
  const givesUp = new AbortController()
  const given = member.request(
    { instrument: 'g', unit: 2, what: 'w', timeoutMs: 1000, urgent: true, perform: async () => done.push('given up') },
    givesUp.signal,
  )
  const all = ['a', 'b', 'c'].map((name) => ask(name))
  const urgent = ['u', 'v'].map((name) => ask(name, true))
  await Promise.all([given, ...all, ...urgent])
  assert.equal(done, ['given up', 'u', 'v', 'a', 'b', 'c'])
  await member.leave()
})

test.run()
