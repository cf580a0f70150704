import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createSimulatedDriver } from '@fernlab/edge/drivers/simulated/simulated'
import { createInstrumentHandle } from '@fernlab/edge/instruments/instrument-handle'
import { type InstrumentUse, instrumentService } from '@fernlab/edge/services/instrument-service'
import { SharedReadings } from '@fernlab/edge/services/shared-readings'
import { connectUnixSocket, listenUnixSocket } from '@fernlab/shared/links/unix-socket/unix-socket'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { silentLog } from '@fernlab/shared/primitives/log'
import { matchesPattern } from '@fernlab/shared/protocol/patterns'
import { cborFormat } from '@fernlab/shared/rpc/cbor-format'
import { meetService } from '@fernlab/shared/rpc/contract/meet-service'
import { serveServices } from '@fernlab/shared/rpc/contract/serve-service'
import type { instrumentContract } from '@fernlab/shared/rpc/contract/service-contract'
import { createPeer, type Peer } from '@fernlab/shared/rpc/peer/peer'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const test = suite('an instrument as a service over a Unix socket')
const clock = systemClock

const opened: (() => Promise<unknown>)[] = []
test.after.each(async () => {
  for (const close of opened.splice(0).reverse()) await close()
})

async function reach(guard: (use: InstrumentUse) => void = () => {}): Promise<Peer> {
  const instrument = await createSimulatedDriver().create(
    { model: 'constant' },
    {
      name: 'source',
      clock,
      log: silentLog,
      configFolder: '.',
      openTransport: async () => {
        throw new LabError({ code: 'no-transport', kind: 'bug', message: 'a model needs no transport' })
      },
    },
  )
  const handle = createInstrumentHandle({ name: 'source', instrument, clock, log: silentLog })
  opened.push(() => handle.close())
  await new Promise<void>((resolve) => {
    handle.onConnection(({ online }) => online && resolve())
    handle.start()
  })
  const service = instrumentService({
    handle,
    readings: new SharedReadings(clock),
    clock,
    guard: (_, use) => guard(use),
  })
  const serve = serveServices((name) => (name === 'bench1.source' ? service : undefined), matchesPattern)
  const folder = await mkdtemp(join(tmpdir(), 'fernlab-service-'))
  opened.push(() => rm(folder, { recursive: true }))
  const path = join(folder, 'rpc.sock')
  const server = await listenUnixSocket({ path, clock, onLink: (link) => void createPeer({ link, clock, serve }) })
  opened.push(() => server.close())
  const { signal } = new AbortController()
  const peer = createPeer({ link: await connectUnixSocket({ path, format: cborFormat, clock, signal }), clock })
  opened.push(() => peer.close())
  return peer
}

test('its signals are set and read, its actions called, by its own description', async () => {
  const peer = await reach()
  const contract = (await peer.call('bench1.source/contract.get')) as ReturnType<typeof instrumentContract>
  const source = await meetService(peer, 'bench1.source', contract)
  await source.set('value', 7.5)
  const { value } = await source.read(['value'])
  assert.is(value?.value, 7.5)
  assert.ok(Math.abs((value?.time ?? 0) - Date.now() / 1000) < 60)
  assert.is(await source.do.noop?.({}), null)
  assert.is((await rejection(source.set('value', 'much'))).code, 'call-invalid')
})

test('who follows a signal gets it at its rate until the loop is left', async () => {
  const peer = await reach()
  let taken = 0
  for await (const item of peer.stream('bench1.source/signals.follow', { signals: ['value'], rateHz: 100 })) {
    assert.ok(typeof item === 'object' && item !== null)
    taken++
    if (taken === 5) break
  }
  assert.is(taken, 5)
  // What was left is free at once: the instrument answers others.
  await peer.call('bench1.source/signals.set', { signal: 'value', value: 1 })
})

test('who may not use it is refused before its driver is asked', async () => {
  const uses: InstrumentUse[] = []
  const peer = await reach((use) => {
    uses.push(use)
    throw new LabError({ code: 'not-held', kind: 'caller', message: 'somebody else holds this bench' })
  })
  for (const [member, params] of [
    ['signals.set', { signal: 'value', value: 2 }],
    ['signals.read', { signals: ['value'] }],
    ['noop', {}],
  ] as const) {
    assert.is((await rejection(peer.call(`bench1.source/${member}`, params))).code, 'not-held')
  }
  assert.is(
    (await rejection(peer.stream('bench1.source/signals.follow', { signals: ['value'] }).next())).code,
    'not-held',
  )
  assert.equal(
    uses.map(({ kind }) => kind),
    ['set', 'read', 'call', 'read'],
  )
})

test.run()
