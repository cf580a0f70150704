/** What node.yaml says of an instrument that is asked over HTTP. */
import {
  identifierSchema,
  limitsSchema,
  numberSchemas,
  parameterSpecSchema,
  type SignalSpec,
  unitSchema,
} from '@fernlab/shared/capabilities/signals'
import type { Finding, Path } from '@fernlab/shared/contracts/yaml-file'
import { patternProblem } from '@fernlab/shared/protocol/patterns'
import * as z from 'zod'
import { openTextFindings, signalSpecs, templateFindings, wordFindings } from '../described/specs.ts'

const pathSchema = z
  .string()
  .max(1000)
  .regex(/^[\x21-\x7e]*$/, 'must be printable ASCII without spaces')
  .describe('Below url: status, or channels/2/value.')
const headerName = z.string().regex(/^[A-Za-z0-9-]{1,60}$/, 'must be the name of a header')
const secretFile = z.string().min(1).describe('A file beside node.yaml that holds it; read anew for each request.')

const authSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('bearer').describe('Authorization: Bearer …'), secretFile }),
  z.strictObject({
    kind: z.literal('basic').describe('User name and password.'),
    username: z.string().min(1).max(200).describe('The user name.'),
    secretFile,
  }),
  z.strictObject({
    kind: z.literal('header').describe('A header of its own.'),
    name: headerName.describe('Its name: X-Api-Key.'),
    secretFile,
  }),
])

const requestSchema = z.strictObject({
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']).describe('Default: PUT.').default('PUT'),
  path: pathSchema,
  json: z.unknown().describe('Sent as JSON; a text that is just {value} becomes the value itself.').optional(),
  text: z.string().max(1000).describe('Sent as plain text.').exactOptional(),
})

const signalSchema = z
  .strictObject({
    title: z.string().describe('What people call it.').exactOptional(),
    unit: unitSchema.describe('In UCUM spelling; without, a plain number.').default('1'),
    dtype: z.enum(['number', 'integer', 'boolean', 'string']).describe('Default: number.').default('number'),
    kind: z.enum(['reading', 'configuration']).describe('Default: a setting where it may be set.').exactOptional(),
    read: z
      .strictObject({
        path: pathSchema,
        pointer: z
          .string()
          .regex(/^(\/([^~/]|~0|~1)*)*$/, 'must be a JSON pointer: /sensors/0/value')
          .describe('Where the value is in a JSON answer: /sensors/0/value.')
          .exactOptional(),
        pattern: z
          .string()
          .min(1)
          .max(500)
          .describe('RE2 pattern for the answer; its group value, else its first group, is the value.')
          .exactOptional(),
      })
      .describe('How it is read, by GET; signals with the same path are read in one request.')
      .exactOptional(),
    set: requestSchema.describe('How it is set; {value} in path, json and text is the value.').exactOptional(),
    decimals: z.int().min(0).max(12).describe('Digits after the point that are sent.').exactOptional(),
    scale: z.number().describe("The instrument's number times this is the value.").exactOptional(),
    words: z
      .record(z.string(), z.string())
      .describe("For booleans and texts: the value, and the instrument's word for it.")
      .exactOptional(),
    limits: limitsSchema.describe('Values outside are never sent.').exactOptional(),
    ...numberSchemas,
  })
  .refine(({ read, set }) => read !== undefined || set !== undefined, { error: 'needs read or set' })

export const httpConfigSchema = z.strictObject({
  url: z
    .url({ protocol: /^https?$/, error: 'must be an address that begins with http:// or https://' })
    .describe('The base address; nothing else is ever asked.'),
  auth: authSchema.describe('How the node says who it is.').exactOptional(),
  headers: z.record(headerName, z.string().max(1000)).describe('Sent with each request.').default({}),
  ca: z.string().describe('A file with the authority that signed its certificate.').exactOptional(),
  timeoutMs: z
    .int()
    .min(50)
    .max(60_000)
    .default(2000)
    .describe('How long an answer may take, in milliseconds. Default: 2000.'),
  signals: z.record(identifierSchema, signalSchema).describe('The signals by name.'),
  actions: z
    .record(
      identifierSchema,
      requestSchema.extend({
        title: z.string().describe('What people call it.').exactOptional(),
        arguments: z.record(identifierSchema, parameterSpecSchema).describe('Its arguments by name.').default({}),
        typicalS: z.number().nonnegative().describe('How long it takes, in seconds.').exactOptional(),
      }),
    )
    .describe('The actions by name.')
    .default({}),
})

export type HttpConfig = z.infer<typeof httpConfigSchema>
export type HttpSignal = HttpConfig['signals'][string]
export type HttpRequest = z.infer<typeof requestSchema>

/** What is wrong beyond the schema. */
export function httpFindings({ url, signals, actions, headers }: HttpConfig): Finding[] {
  const base = new URL(url)
  const findings: Finding[] = []
  if (base.username !== '' || base.password !== '') {
    findings.push({ path: ['url'], message: 'holds a password, which logs would show: use auth with a secretFile' })
  }
  if (base.search !== '' || base.hash !== '') findings.push({ path: ['url'], message: 'must end before ? and #' })
  for (const name of Object.keys(headers)) {
    if (/^(authorization|cookie|host|content-length|transfer-encoding|x-api-key)$/i.test(name)) {
      findings.push({ path: ['headers', name], message: 'is not set here; secrets are in auth, with a secretFile' })
    }
  }
  for (const [name, signal] of Object.entries(signals)) findings.push(...signalFindings(name, signal, base))
  for (const [name, action] of Object.entries(actions)) {
    const path = ['actions', name]
    findings.push(...openTextFindings(action.arguments, [...path, 'arguments']))
    findings.push(...requestFindings(action, path, Object.keys(action.arguments), base))
  }
  return findings
}

function signalFindings(name: string, signal: HttpSignal, base: URL): Finding[] {
  const path = ['signals', name]
  const { read, set } = signal
  const findings = wordFindings(name, signal)
  if (read !== undefined) {
    findings.push(...pathFindings(read.path, [...path, 'read', 'path'], [], base))
    if ((read.pointer === undefined) === (read.pattern === undefined)) {
      findings.push({ path: [...path, 'read'], message: 'needs either pointer or pattern' })
    }
    const problem = read.pattern === undefined ? undefined : patternProblem(read.pattern)
    if (problem !== undefined) findings.push({ path: [...path, 'read', 'pattern'], message: problem })
  }
  if (set !== undefined) {
    findings.push(...requestFindings(set, [...path, 'set'], ['value'], base))
    if (!JSON.stringify([set.path, set.json, set.text]).includes('{value}')) {
      findings.push({ path: [...path, 'set'], message: 'lacks {value}' })
    }
  }
  return findings
}

function requestFindings(request: HttpRequest, path: Path, known: readonly string[], base: URL): Finding[] {
  const findings = pathFindings(request.path, [...path, 'path'], known, base)
  if (request.json !== undefined && request.text !== undefined) {
    findings.push({ path: [...path, 'text'], message: 'stands beside json: one of them is sent' })
  }
  if (request.method === 'GET' && (request.json !== undefined || request.text !== undefined)) {
    findings.push({ path: [...path, 'method'], message: 'GET sends no json and no text' })
  }
  if (request.text !== undefined) findings.push(...templateFindings(request.text, [...path, 'text'], known))
  for (const text of textsIn(request.json)) findings.push(...templateFindings(text, [...path, 'json'], known))
  return findings
}

function pathFindings(text: string, path: Path, known: readonly string[], base: URL): Finding[] {
  const below = base.pathname.endsWith('/') ? base.pathname : `${base.pathname}/`
  const from = new URL(below, base)
  const leads = URL.canParse(text, from.href) ? new URL(text, from) : undefined
  const isBelow = leads?.origin === base.origin && leads.pathname.startsWith(below)
  return [
    ...(isBelow ? [] : [{ path, message: `leads away from ${base.origin}${below}` }]),
    ...templateFindings(text, path, known),
  ]
}

function textsIn(json: unknown): string[] {
  if (typeof json === 'string') return [json]
  return typeof json === 'object' && json !== null ? Object.values(json).flatMap(textsIn) : []
}

/** The signals as the node announces them. */
export const httpSpecs = ({ signals }: Pick<HttpConfig, 'signals'>): SignalSpec[] =>
  signalSpecs(
    {
      signals: Object.fromEntries(
        Object.entries(signals).map(([name, { read, ...signal }]) => [name, { ...signal, query: read }]),
      ),
      variants: [],
    },
    {},
  )
