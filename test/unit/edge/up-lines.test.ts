import { upLines } from '@fernlab/edge/up-lines'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what a node says at a terminal once it is up')

test('where it is, and how a first call is made', () => {
  assert.equal(upLines({ node: 'pi', addresses: ['ws://10.0.0.7:8090', 'ws://pi:8090'], broker: undefined }), [
    'pi is up at ws://10.0.0.7:8090, ws://pi:8090.',
    'Next, a token to call its services by: fernlab node token PERSON > FILE; then fernlab directory --node ws://10.0.0.7:8090 --token-file FILE',
    'Ctrl-C stops it.',
  ])
})

test('of a node with a hub, that people come by it', () => {
  const lines = upLines({ node: 'pi', addresses: [], broker: 'mqtts://pi:secret@lab.example:8883' })
  assert.is(lines[0], 'pi is up.')
  assert.match(lines[1] ?? '', /looked for at lab\.example:8883, opens.*fernlab directory lists its services/)
})

test('that nobody reaches it, where its file says nothing of the network', () => {
  const lines = upLines({ node: 'pi', addresses: [], broker: undefined })
  assert.match(lines[1] ?? '', /node\.yaml has no services\.listen/)
})

test.run()
