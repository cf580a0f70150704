import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { errorCodes } from '@fernlab/hub/api/error-codes'
import { Ajv2020 } from 'ajv/dist/2020.js'
import * as assert from 'uvu/assert'
import { root } from '../../support/source-files.ts'
import { suite } from '../../support/suite.ts'

const test = suite('what the API’s documents say of each call', { timeoutMs: 60_000 })

interface Content {
  readonly schema?: object
  readonly example?: unknown
}
interface Operation {
  readonly summary?: string
  readonly description?: string
  readonly security?: readonly object[]
  readonly requestBody?: { readonly content: Readonly<Record<string, Content>> }
  readonly responses: Readonly<
    Record<string, { readonly description?: string; readonly content?: Readonly<Record<string, Content>> }>
  >
}
const read = (name: string) => JSON.parse(readFileSync(join(root, 'docs', name), 'utf8'))
const { paths } = read('openapi.json') as { paths: Record<string, Record<string, Operation>> }
const calls = Object.entries(paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, operation]) => ({ name: `${method.toUpperCase()} ${path}`, operation })),
)
const ajv = new Ajv2020({ strict: false, logger: false, validateFormats: false })

test('each has a summary, a description, who may call it, and words for each status', () => {
  for (const { name, operation } of calls) {
    const { summary = '', description = '', security, responses } = operation
    assert.ok(summary.length > 4, name)
    assert.match(description, /Open to strangers|For everybody who is signed in|For the role|the scope/, name)
    assert.ok(security !== undefined, name)
    for (const [status, answer] of Object.entries(responses))
      if (status !== 'default') assert.ok((answer.description ?? '').length > 1, `${name} ${status}`)
  }
})

test('each body and each answer in JSON has an example that fits its schema', () => {
  for (const { name, operation } of calls) {
    const contents = [operation.requestBody, ...Object.values(operation.responses)].map((one) => one?.content)
    for (const content of contents) {
      const json = content?.['application/json']
      if (json?.schema === undefined) continue
      assert.ok('example' in json, name)
      const fits = ajv.validate(json.schema, json.example)
      assert.ok(fits, `${name}: ${ajv.errorsText()}\n${JSON.stringify(json.example)}`)
    }
  }
})

test('each message over MQTT has an example that fits its schema', () => {
  const { components } = read('asyncapi.json') as {
    components: { messages: Record<string, { payload: object; examples: { payload: unknown }[] }> }
  }
  for (const [name, { payload, examples }] of Object.entries(components.messages)) {
    assert.is(examples.length, 1, name)
    assert.ok(ajv.validate(payload, examples[0]?.payload), `${name}: ${ajv.errorsText()}`)
  }
})

/** Codes of callers that no call of the HTTP API answers with: who gets them instead. */
const elsewhere: Readonly<Record<string, string>> = {
  'call-invalid': 'a live session’s WebSocket',
  'rpc-unreadable': 'a live session’s WebSocket',
  'method-unknown': 'a live session’s WebSocket',
  'person-not-here': 'a live session’s WebSocket',
  'bad-argument': 'a program’s arguments',
  'node-revoked': 'a node',
  'readme-unreadable': 'the lab’s page, which shows the text as it is written',
  'set-unreadable': 'a value to set over MQTT, which is logged',
  'set-too-large': 'a value to set over MQTT, which is logged',
  'set-too-late': 'a value to set over MQTT, which is logged',
  'not-confirmed-at-all': 'nobody',
}

test('each code with which the hub refuses a caller is among those described', () => {
  const folders = [
    'accounts',
    'api',
    'bench-care',
    'bookings',
    'catalogue',
    'fleet',
    'groups',
    'maintenance',
    'permissions',
    'recurring',
    'results',
    'runs',
    'sessions',
    'usage',
  ]
  const files = folders.flatMap((folder) =>
    readdirSync(join(root, 'hub', folder), { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.d.ts'))
      .map((name) => readFileSync(join(root, 'hub', folder, name), 'utf8')),
  )
  const codes = files.flatMap((text) => [
    ...[...text.matchAll(/\b(?:refuse|refusal)\(\s*'([a-z-]+)'/g)].map(([, code = '']) => code),
    ...[...text.matchAll(/code: '([a-z-]+)',\s*kind: 'caller'/g)].map(([, code = '']) => code),
  ])
  assert.ok(codes.length > 100)
  assert.equal(
    [...new Set(codes)].filter((code) => code.includes('-') && !(code in errorCodes) && !(code in elsewhere)).sort(),
    [],
  )
})

test.run()
