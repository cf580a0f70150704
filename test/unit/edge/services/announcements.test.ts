import { createAnnouncements } from '@fernlab/edge/services/announcements'
import type { AnnouncedService, NodeServices, ServiceState } from '@fernlab/shared/contracts/services'
import { ManualClock } from '@fernlab/shared/primitives/clock'
import { recordingLog } from '@fernlab/shared/primitives/log'
import * as assert from 'uvu/assert'
import { suite } from '../../../support/suite.ts'

const test = suite('what a hub is told of services')
const contract = { kind: 'fit', version: '1.0', actions: {}, signals: {}, events: {} }
const service = (name: string, state: ServiceState, more = {}): AnnouncedService => ({
  name,
  state,
  tags: [],
  contract,
  ...more,
})

function open(services: AnnouncedService[]) {
  const clock = new ManualClock()
  const log = recordingLog()
  const sent: NodeServices[] = []
  const current = () => ({ addresses: [], services: [...services] })
  const announcements = createAnnouncements({ current, send: (told) => sent.push(told), clock, log })
  const states = () => sent.map((told) => told.services.map(({ state }) => state).join())
  return { clock, log, sent, services, announcements, states }
}

test('a change is told soon, many of them once a second, and none that went back', async () => {
  const { clock, services, announcements, states } = open([service('fit', 'up')])
  announcements.all()
  await clock.advance(5000)
  const change = (state: ServiceState) => {
    services[0] = service('fit', state)
    announcements.changed()
  }
  change('busy')
  await clock.advance(99)
  assert.equal(states(), ['up'])
  await clock.advance(1)
  assert.equal(states(), ['up', 'busy'])
  for (const state of ['up', 'locked', 'up'] as const) {
    change(state)
    await clock.advance(300)
  }
  assert.equal(states(), ['up', 'busy'])
  await clock.advance(100)
  assert.equal(states(), ['up', 'busy', 'up'])
  change('locked')
  change('up')
  await clock.advance(5000)
  assert.equal(states(), ['up', 'busy', 'up'])
  // A hub that has come back may know nothing.
  announcements.all()
  assert.is(states().length, 4)
})

test('another contract is told, and what no hub would take is left out, with the reason once', async () => {
  const { clock, log, sent, services, announcements } = open([service('fit', 'up'), service('Fit', 'up')])
  announcements.all()
  assert.equal(
    sent[0]?.services.map(({ name }) => name),
    ['fit'],
  )
  services[0] = service('fit', 'up', { contract: { ...contract, version: '1.1' } })
  announcements.changed()
  await clock.advance(1000)
  assert.is(sent[1]?.services[0]?.contract.version, '1.1')
  services[0] = service('fit', 'up', { contract: { ...contract, version: 'one' } })
  announcements.changed()
  await clock.advance(1000)
  assert.equal(sent[2]?.services, [])
  const warned = log.lines.map(({ fields }) => fields as { service: string; why: string })
  assert.equal(
    warned.map((one) => one.service),
    ['Fit', 'fit'],
  )
  assert.match(warned[1]?.why ?? '', /version: must be two numbers/)
})

test.run()
