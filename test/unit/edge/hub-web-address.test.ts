import { hubWebAddress } from '@fernlab/edge/link/hub-web-address'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('where a node finds the web port of its hub')
const said = 'https://lab.example/'

test('what node.yaml says goes before the broker, that before the enrolment, and that before what the hub says', () => {
  const known = { configured: 'http://hub.lan:8080', broker: 'wss://broker.lan', enrolledAt: 'https://door.example' }
  const { configured: _, ...without } = known
  const steps = [known, without, { enrolledAt: known.enrolledAt }, {}]
  assert.equal(
    steps.map((step) => hubWebAddress({ ...step, said })),
    ['ws://hub.lan:8080', 'wss://broker.lan', 'wss://door.example', 'wss://lab.example'],
  )
})

test('a broker on its own port says nothing of the web port', () => {
  for (const broker of ['mqtt://broker.lan', 'mqtts://broker.lan:8883', 'in-process']) {
    assert.is(hubWebAddress({ broker, said }), 'wss://lab.example', broker)
  }
})

test('ports and IPv6 addresses are kept, paths are not', () => {
  assert.is(hubWebAddress({ broker: 'ws://[fd00::1]:8080/mqtt', said }), 'ws://[fd00::1]:8080')
  assert.is(hubWebAddress({ said: 'http://127.0.0.1:8080/x' }), 'ws://127.0.0.1:8080')
})

test.run()
