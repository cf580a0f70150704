import { parseConfig } from '@fernlab/hub/config/config'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { isLoopback } from '@fernlab/shared/programs/loopback'
import * as assert from 'uvu/assert'
import { suite } from '../../support/suite.ts'

const test = suite('the hub’s settings')
const cwd = '/srv'
const refusal = (env: Record<string, string>): string => {
  try {
    parseConfig(env, {}, cwd)
  } catch (error) {
    assert.instance(error, LabError)
    return (error as LabError).message
  }
  assert.unreachable('was taken')
  return ''
}

test('has defaults for everything', () => {
  const config = parseConfig({}, {}, cwd)
  assert.equal(config, {
    dataFolder: '/srv/data',
    hubFolder: '/srv/data/hub',
    site: 'main',
    host: '127.0.0.1',
    port: 8080,
    mqttPort: 1883,
    mqttsPort: 8883,
    databaseUrl: 'sqlite:/srv/data/hub/hub.db',
    trustedProxies: [],
    demo: false,
    logLevel: 'info',
  })
})

test('takes the environment before the file, and the file before the defaults', () => {
  const settings = { port: 9000, site: 'physics', host: '0.0.0.0' }
  const config = parseConfig({ FERNLAB_PORT: '0', FERNLAB_SITE: '' }, settings, cwd)
  assert.is(config.port, 0)
  assert.is(config.site, 'physics')
  assert.is(config.host, '0.0.0.0')
})

const wrong: [name: string, value: string, says: string][] = [
  ['FERNLAB_PORT', '80800', 'FERNLAB_PORT is "80800"; it may be a port from 0 (any free one) to 65535'],
  ['FERNLAB_PORT', '-1', 'FERNLAB_PORT is "-1"; it may be a port from 0 (any free one) to 65535'],
  ['FERNLAB_MQTT_PORT', 'mqtt', 'FERNLAB_MQTT_PORT is "mqtt"; it may be a port from 0 (any free one) to 65535'],
  ['FERNLAB_SITE', 'My Site', 'FERNLAB_SITE is "My Site"; it may be lower-case letters, digits, - and _ (at most 63)'],
  ['FERNLAB_HOST', 'http://x', 'FERNLAB_HOST is "http://x"; it may be a host name or address without spaces'],
  [
    'FERNLAB_PUBLIC_URL',
    'lab.example',
    'FERNLAB_PUBLIC_URL is "lab.example"; it may be an address that begins with http:// or https://',
  ],
  ['FERNLAB_DATABASE_URL', 'postgres://x', 'FERNLAB_DATABASE_URL is "postgres://x"; it may be sqlite:<file>'],
  [
    'FERNLAB_DATABASE_URL',
    'postgres://lab:se@cret@db.example/lab',
    'FERNLAB_DATABASE_URL is "postgres://…@db.example/lab"; it may be sqlite:<file>',
  ],
  ['FERNLAB_LOG_LEVEL', 'loud', 'FERNLAB_LOG_LEVEL is "loud"; it may be debug, info, warn, error'],
  ['FERNLAB_DEMO', 'yes', 'FERNLAB_DEMO is "yes"; it may be 0 or 1'],
  ['FERNLAB_ADMIN_TOKEN', 'short', 'FERNLAB_ADMIN_TOKEN is (secret); it may be 32 or more characters without spaces'],
  [
    'FERNLAB_SMTP_URL',
    'http://u:p@x',
    'FERNLAB_SMTP_URL is (secret); it may be an address that begins with smtp:// or smtps://',
  ],
]
for (const [name, value, says] of wrong) {
  test(`${name}=${value} stops the start with one line`, () => assert.is(refusal({ [name]: value }), says))
}

test('labs’ own pages have an origin, which is not the hub’s', () => {
  const { pagesPort, pagesUrl } = parseConfig(
    { FERNLAB_PAGES_PORT: '8090', FERNLAB_PAGES_URL: 'https://pages.lab.example/' },
    {},
    cwd,
  )
  assert.equal([pagesPort, pagesUrl], [8090, 'https://pages.lab.example'])
  const url = 'https://lab.example'
  assert.match(refusal({ FERNLAB_PUBLIC_URL: url, FERNLAB_PAGES_URL: `${url}/` }), /FERNLAB_PAGES_URL.* another host/)
  const wild = 'https://*.pages.example'
  assert.is(parseConfig({ FERNLAB_PAGES_URL: wild }, {}, cwd).pagesUrl, wild)
  assert.match(refusal({ FERNLAB_PAGES_URL: 'https://a.*.pages.example' }), /may have a \* only as the first part/)
  assert.match(refusal({ FERNLAB_PAGES_URL: `${url}/pages` }), /has a path; it may be an origin, such as https:/)
})

test('a certificate without its key, and the other way round', () => {
  assert.is(
    refusal({ FERNLAB_TLS_CERT: '/c' }),
    'FERNLAB_TLS_KEY is not set, but FERNLAB_TLS_CERT is; set both or neither',
  )
  assert.is(
    refusal({ FERNLAB_TLS_KEY: '/k' }),
    'FERNLAB_TLS_CERT is not set, but FERNLAB_TLS_KEY is; set both or neither',
  )
})

test('what is promised for later says so', () => {
  assert.match(refusal({ FERNLAB_BROKER_URL: 'mqtt://x' }), /^FERNLAB_BROKER_URL is set; this release has the embedded/)
})

test('every wrong setting has its line', () => {
  assert.is(refusal({ FERNLAB_PORT: 'x', FERNLAB_DEMO: '2' }).split('\n').length, 2)
})

test('knows which addresses only this machine reaches', () => {
  for (const host of ['127.0.0.1', '127.1.2.3', 'localhost', '::1']) assert.ok(isLoopback(host), host)
  for (const host of ['0.0.0.0', '::', '192.168.1.2', 'lab.example']) assert.not(isLoopback(host), host)
})

test.run()
