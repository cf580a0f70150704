import { hubAccess } from '@fernlab/shared/clients/typescript/hub-access'
import { type ConnectOptions, connect } from '@fernlab/shared/clients/typescript/node'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('what a program says of its hub')

function refused(options: unknown): LabError {
  try {
    connect(options as ConnectOptions)
  } catch (error) {
    assert.instance(error, LabError)
    return error as LabError
  }
  return assert.unreachable('nothing was refused') as never
}

test('a program that names nobody is told what it may name', () => {
  for (const options of [{}, { token: 'mine' }]) {
    const { code, message } = refused(options)
    assert.is(code, 'hub-missing')
    assert.match(message, /FERNLAB_HUB and FERNLAB_TOKEN.*node, nodes, network or here$/)
  }
})

test('an empty hub or token is told before anybody is asked, and where they would come from', () => {
  for (const hub of ['', undefined, null]) {
    const { code, kind, message } = refused({ hub, token: 'mine' })
    assert.equal([code, kind], ['hub-missing', 'configuration'])
    assert.match(message, /^no hub is named: .*FERNLAB_HUB/)
  }
  for (const token of ['', undefined, null]) {
    const { code, message } = refused({ hub: 'http://127.0.0.1:1', token })
    assert.is(code, 'token-missing')
    assert.match(message, /^no token for the hub at 127\.0\.0\.1:1 is given: .*FERNLAB_TOKEN.*fernlab token create/)
  }
})

test('what is no address of a hub is named, and no token with it', () => {
  for (const hub of ['lab.example.org', 'ws://lab.example.org', 'localhost:8080', 7]) {
    const { code, message } = refused({ hub, token: 'a-secret' })
    assert.is(code, 'address-wrong')
    assert.is(message, `${JSON.stringify(hub)} is no address of a hub: http://… or https://…`)
  }
})

test('what is right is taken as it is', async () => {
  const access = hubAccess({ hub: 'https://lab.example.org/below/', token: 'mine' })
  assert.equal(access, { url: 'https://lab.example.org/below/', token: 'mine' })
  await connect({ hub: 'http://127.0.0.1:1', token: 'mine' }).close()
})

test.run()
