import { loadConfig } from '@fernlab/edge/config/config'
import { claimsOf } from '@fernlab/edge/discovery/node-use'
import { builtInDrivers } from '@fernlab/edge/drivers/drivers'
import * as assert from 'uvu/assert'
import { rejection } from '../../contract/driver-contract.ts'
import { suite } from '../../support/suite.ts'

const test = suite('hardware that the settings of people’s own drivers name')

const port = { kind: 'serial', path: '/dev/serial/by-id/usb-a' }
const meter = { driver: 'scpi', config: { model: 'fern-dmm', transport: { ...port, baudRate: 9600 } } }
const file = (instruments: object) => ({ node: 'pi', hub: { url: 'in-process' }, instruments, benches: {} })

for (const [kind, own] of [
  ['own', { driver: 'own', config: { folder: './oven', settings: { wires: [{ line: port }], note: 'serial' } } }],
  ['process', { driver: 'process', config: { command: ['./oven'], settings: { wires: [{ line: port }] } } }],
] as const) {
  test(`is refused twice, with both places, for ${kind}`, async () => {
    const error = await rejection(loadConfig({ object: file({ meter, oven: own }) }, builtInDrivers()))
    assert.equal(
      error.issues.map(({ path, message }) => [path, message]),
      [
        [
          'instruments.oven.config.settings.wires[0].line.path',
          'the port /dev/serial/by-id/usb-a is claimed by instruments.meter.config.transport.path already',
        ],
      ],
    )
    const free = { ...meter, config: { ...meter.config, transport: { ...port, path: '/dev/ttyUSB7' } } }
    await loadConfig({ object: file({ meter: free, oven: own }) }, builtInDrivers())
    assert.equal(
      claimsOf({ oven: own }, builtInDrivers()).map(({ instrument, key }) => [instrument, key]),
      [['oven', 'serial:/dev/serial/by-id/usb-a']],
    )
  })
}

test('is none where nothing is a transport', () => {
  const settings = {
    transport: { kind: 'serial' },
    path: '/dev/ttyUSB0',
    list: [1, null, 'serial'],
    deep: { kind: 'tcp' },
  }
  assert.equal(claimsOf({ oven: { driver: 'own', config: { folder: './x', settings } } }, builtInDrivers()), [])
})

test.run()
