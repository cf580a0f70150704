import { parseProcessConfig } from '@fernlab/edge/config/process-config'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the settings of a node’s process')

test('has defaults, and takes an empty setting for none', () => {
  const defaults = { dataFolder: '/srv/data', nodeFile: 'node.yaml', logLevel: 'info', port: 8080 }
  assert.equal(parseProcessConfig({}, '/srv'), defaults)
  const names = ['DATA', 'NODE_FILE', 'SITE', 'BROKER_URL', 'TLS_CA', 'LOG_LEVEL', 'HEALTH_SECONDS', 'LEAST_FREE_BYTES']
  const empty = Object.fromEntries(names.map((name) => [`FERNLAB_${name}`, '']))
  assert.equal(parseProcessConfig(empty, '/srv'), defaults)
})

test('reads what is set', () => {
  const env = { FERNLAB_SITE: 'physics', FERNLAB_TLS_CA: 'ca.pem', FERNLAB_HEALTH_SECONDS: '0.5' }
  const { site, caFile, healthEveryMs } = parseProcessConfig(env, '/srv')
  assert.equal([site, caFile, healthEveryMs], ['physics', '/srv/ca.pem', 500])
})

const wrong: [name: string, value: string, may: string][] = [
  ['FERNLAB_SITE', 'My Site', 'lower-case letters, digits, - and _ (at most 63)'],
  ['FERNLAB_BROKER_URL', 'http://x', 'an address that begins with mqtt://, mqtts://, ws:// or wss://'],
  ['FERNLAB_PUBLIC_URL', 'lab.example', 'an address that begins with http:// or https://'],
  ['FERNLAB_PORT', '-1', 'a port from 0 (any free one) to 65535'],
  ['FERNLAB_LOG_LEVEL', 'loud', 'debug, info, warn, error'],
  ['FERNLAB_HEALTH_SECONDS', '0', 'a number above 0'],
  ['FERNLAB_LEAST_FREE_BYTES', '1 GB', 'a whole number of bytes'],
]
for (const [name, value, may] of wrong) {
  test(`${name}=${value} stops the start with one line`, () => {
    try {
      parseProcessConfig({ [name]: value }, '/srv')
      assert.unreachable('was taken')
    } catch (error) {
      assert.instance(error, LabError)
      assert.is((error as LabError).message, `${name} is ${JSON.stringify(value)}; it may be ${may}`)
    }
  })
}

test.run()
