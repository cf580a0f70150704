/** An emulated board at its port: in a thread, in real time, one connection at a time. */
import { createWorlds } from '@fernlab/firmware-bridge/emulated/worlds'
import { createOpenTransport } from '@fernlab/firmware-bridge/transports/open-transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { silentLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { banner, hearing, hello } from '../../support/boards/hello.ts'
import { suite } from '../../support/suite.ts'

const test = suite('an emulated board at its port')

const worlds = createWorlds({ clock: systemClock, uno: { firmware: hello } })
const openTransport = createOpenTransport({ worlds, clock: systemClock, log: silentLog })
const open = async (signal: AbortSignal) => {
  const transport = await openTransport({ kind: 'emulated', world: 'uno', device: 'board' }, signal)
  return { transport, heard: hearing(transport) }
}

test('opening resets it, and DTR does; the loop of its user is free all the time', async ({ signal }) => {
  const { transport, heard } = await open(signal)
  let longest = 0
  let last = performance.now()
  const timer = setInterval(() => {
    longest = Math.max(longest, performance.now() - last)
    last = performance.now()
  }, 5)
  const beganAt = performance.now()
  await heard(banner(), signal)
  assert.ok(performance.now() - beganAt > 900, 'the boot loader waits for a second, in real time')
  await transport.write(new TextEncoder().encode('an echo\n'))
  await heard('an echo\r\n', signal)
  await transport.setLines?.({ dtr: true })
  await transport.write(new TextEncoder().encode('no reset\n'))
  await heard('no reset\r\n', signal)
  await transport.setLines?.({ dtr: false })
  await transport.setLines?.({ dtr: true })
  await heard(banner(), signal)
  clearInterval(timer)
  assert.ok(longest < 500, `the loop stood still for ${longest} ms`)
  await transport.close()
})

test('has one user at a time, and is free again when that one is gone', async ({ signal }) => {
  const first = await open(signal)
  const second = await open(signal).then(
    () => undefined,
    (error: Error & { code: string }) => error,
  )
  assert.is(second?.code, 'transport-unreachable')
  assert.match(second?.message ?? '', /in use/)
  await first.transport.close()
  await first.transport.close()
  const third = await open(signal)
  await third.heard(banner(), signal)
  await third.transport.close()
})

test('a pulled plug ends the connection with a reason', async ({ signal }) => {
  const { transport } = await open(signal)
  const ended = new Promise<Error | undefined>((resolve) => transport.onClose(resolve))
  worlds.world('uno').device('board').hangUp()
  assert.match((await ended)?.message ?? '', /hung up/)
  const again = await open(signal)
  await again.heard(banner(), signal)
  await again.transport.close()
})

test.run()
