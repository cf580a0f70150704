import { LabError } from '@fernlab/shared/primitives/lab-error'
import { errorOf, readRpc, rpcError, rpcNotification, rpcRequest, rpcResult } from '@fernlab/shared/rpc/envelope'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the RPC envelope')

test('what is written is read as what it is', () => {
  assert.equal(readRpc(rpcRequest(7, 'set', { 'psu.voltage': 1 })), {
    kind: 'request',
    message: { jsonrpc: '2.0', id: 7, method: 'set', params: { 'psu.voltage': 1 } },
  })
  assert.is(readRpc(rpcNotification('state', { state: 'active' })).kind, 'notification')
  assert.equal(readRpc(rpcResult('a', undefined)), {
    kind: 'reply',
    message: { jsonrpc: '2.0', id: 'a', result: null },
  })
})

test('an error keeps its code and its words for students', () => {
  const error = new LabError({ code: 'limit', kind: 'caller', message: 'exact', studentMessage: 'plain' })
  const { kind, message } = readRpc(rpcError('a', error))
  if (kind !== 'reply' || !('error' in message)) throw new Error('not an error')
  assert.is(message.error.code, -32000)
  const read = errorOf(message.error)
  assert.equal([read.code, read.message, read.studentMessage], ['limit', 'exact', 'plain'])
})

test('what is none of it is refused', () => {
  const none = ['', '{', '[]', '1', '{"jsonrpc":"1.0","id":1,"method":"x"}', '{"jsonrpc":"2.0","id":{},"method":"x"}']
  for (const text of [...none, '{"jsonrpc":"2.0"}', '{"jsonrpc":"2.0","method":"x","more":1}']) {
    assert.throws(
      () => readRpc(text),
      (error: unknown) => error instanceof LabError && error.code === 'rpc-unreadable',
      text,
    )
  }
})

test.run()
