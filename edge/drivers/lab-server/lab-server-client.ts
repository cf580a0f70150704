/**
 * Calls on a laboratory's own server: weblablib's interface, version "1" (JSON over HTTP with Basic auth).
 *
 * INVARIANTS: nothing is sent but to the configured address, whatever it answers, and redirects are not followed; TLS
 * certificates are verified; an error says `begun: false` only when the server can not have taken the call.
 */
import { type IncomingMessage, request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import * as z from 'zod'

export interface LabServerAccess {
  /** The lab's base address, ending with a slash. */
  readonly base: URL
  readonly username: string
  /** Read again for each call, so that it can be changed while the node runs. */
  password(): Promise<string>
  /** PEM of an authority to trust instead of the system's. */
  ca(): Promise<string | undefined>
}

export interface LabServerCalls {
  /** The version of the interface that the server speaks. */
  version(signal: AbortSignal): Promise<string>
  /** Rejects with `lab-server-credentials` when the server does not take them. */
  test(signal: AbortSignal): Promise<void>
  start(body: object, signal: AbortSignal): Promise<{ readonly id: string; readonly url: string }>
  status(id: string, signal: AbortSignal): Promise<number>
  /** Of several sessions, by id; undefined when the server is too old for that. It answers within `timeoutS`. */
  statuses(
    ids: readonly string[],
    timeoutS: number,
    signal: AbortSignal,
  ): Promise<Readonly<Record<string, number>> | undefined>
  dispose(id: string, signal: AbortSignal): Promise<void>
}

interface Call<Schema extends z.ZodType> {
  readonly method: 'GET' | 'POST'
  readonly path: string
  readonly body?: object
  readonly answer: Schema
  readonly signal: AbortSignal
  readonly open?: true
}

const MOST_ANSWER_BYTES = 1024 * 1024

const startedSchema = z.object({ url: z.string().min(1).max(8192), session_id: z.string().min(1).max(1024) })
const refusedSchema = z.object({ error: z.literal(true), message: z.string().default('it gave no reason') })
const apiSchema = z.object({ api_version: z.union([z.string(), z.number()]).transform(String) })
const testSchema = z.object({ valid: z.boolean(), error_messages: z.array(z.string()).default([]) })
const statusSchema = z.object({ should_finish: z.number() })
const statusesSchema = z.object({ status: z.record(z.string(), z.number()) })
/** "Deleted" and "Not found" are as good as each other; what says neither is taken at its status, what says that it did nothing is not. */
const disposedSchema = z
  .object({ message: z.string().optional(), error: z.unknown().optional() })
  .refine(({ message, error }) => error !== true && message !== 'Unknown op', 'it has not disposed of the session')
const messagesSchema = z.object({ error_messages: z.array(z.string()).default([]) })

/** The calls on the server at this address. */
export function createLabServerCalls(access: LabServerAccess): LabServerCalls {
  const addressOf = ({ path }: Call<z.ZodType>) => new URL(`weblab/sessions/${path}`, access.base)

  const call = async <Schema extends z.ZodType>(wanted: Call<Schema>): Promise<z.output<Schema>> => {
    const url = addressOf(wanted)
    return accept(url, wanted, await exchange(url, access, wanted))
  }

  const accept = <Schema extends z.ZodType>(
    url: URL,
    wanted: Call<Schema>,
    { status, headers, text }: Answer,
  ): z.output<Schema> => {
    if (status === 401 || status === 403) throw credentialsRefused(access, text)
    if (status >= 300 && status < 400) {
      const to = headers.location === undefined ? 'another address' : headers.location
      throw failure('lab-server-moved', `${url} redirects to ${to}: write the lab's own address in url`, {
        begun: false,
      })
    }
    if (status === 404) {
      const hint = 'is url the base address of the lab, below which weblab/sessions/ is?'
      throw failure('lab-server-absent', `there is nothing at ${url}: ${hint}`, { begun: false })
    }
    if (status < 200 || status > 299) throw failure('lab-server-failed', `${url} answered with status ${status}`)
    const checked = wanted.answer.safeParse(jsonOf(text))
    if (checked.success) return checked.data
    const issue = checked.error.issues[0]
    const where = issue === undefined || issue.path.length === 0 ? '' : `${issue.path.join('.')}: `
    throw failure('lab-server-unreadable', `${url} does not answer as a lab server: ${where}${issue?.message ?? ''}`)
  }

  return {
    version: async (signal) =>
      (await call({ method: 'GET', path: 'api', answer: apiSchema, signal, open: true })).api_version,
    test: async (signal) => {
      const { valid, error_messages } = await call({ method: 'GET', path: 'test', answer: testSchema, signal })
      if (!valid) throw credentialsRefused(access, JSON.stringify({ error_messages }))
    },
    start: async (body, signal) => {
      const answer = z.union([refusedSchema, startedSchema])
      const started = await call({ method: 'POST', path: '', body, answer, signal })
      if (!('error' in started)) return { id: started.session_id, url: started.url }
      throw new LabError({
        code: 'lab-server-refused',
        kind: 'instrument',
        retry: 'later',
        message: `the lab's server did not start a session: ${started.message}`,
        studentMessage: `The lab could not be started: ${started.message}`,
        details: { begun: false },
      })
    },
    status: async (id, signal) => {
      const path = `${encodeURIComponent(id)}/status`
      return (await call({ method: 'GET', path, answer: statusSchema, signal })).should_finish
    },
    statuses: async (ids, timeoutS, signal) => {
      const body = { session_ids: ids, timeout: timeoutS }
      const wanted = { method: 'POST', path: 'status/multiple', body, answer: statusesSchema, signal } as const
      const url = addressOf(wanted)
      const answer = await exchange(url, access, wanted)
      return answer.status === 404 || answer.status === 405 ? undefined : accept(url, wanted, answer).status
    },
    dispose: async (id, signal) => {
      const path = encodeURIComponent(id)
      await call({ method: 'POST', path, body: { action: 'delete' }, answer: disposedSchema, signal })
    },
  }
}

interface Answer {
  readonly status: number
  readonly headers: IncomingMessage['headers']
  readonly text: string
}

async function exchange(url: URL, access: LabServerAccess, { method, body, signal, open }: Call<z.ZodType>) {
  const ca = url.protocol === 'https:' ? await access.ca() : undefined
  const headers: Record<string, string | number> = { accept: 'application/json' }
  if (open !== true) {
    const pair = Buffer.from(`${access.username}:${await access.password()}`)
    headers.authorization = `Basic ${pair.toString('base64')}`
  }
  const payload = body === undefined ? undefined : Buffer.from(JSON.stringify(body))
  if (payload !== undefined) {
    headers['content-type'] = 'application/json'
    headers['content-length'] = payload.length
  }
  signal.throwIfAborted()
  return await new Promise<Answer>((resolve, reject) => {
    let connected = false
    const fail = (cause: Error) => reject(signal.aborted ? signal.reason : broken(url, cause, connected))
    const begin = url.protocol === 'https:' ? requestHttps : requestHttp
    const sent = begin(
      url,
      { method, headers, agent: false, signal, ...(ca === undefined ? {} : { ca }) },
      (response) => {
        const chunks: Buffer[] = []
        let bytes = 0
        response.on('data', (chunk: Buffer) => {
          bytes += chunk.length
          chunks.push(chunk)
          if (bytes > MOST_ANSWER_BYTES) sent.destroy(new Error('the answer is longer than 1 MB'))
        })
        response.on('error', fail)
        response.on('end', () => {
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(chunks).toString('utf8'),
          })
        })
      },
    )
    sent.on('socket', (socket) => {
      socket.once(url.protocol === 'https:' ? 'secureConnect' : 'connect', () => {
        connected = true
      })
    })
    sent.on('error', fail)
    sent.end(payload)
  })
}

/** OpenSSL's and Node's names for a certificate that is not to be trusted. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/

/** Why there is no connection to the address. */
export function unconnected(address: string, cause: Error): LabError {
  if (!CERTIFICATE.test((cause as NodeJS.ErrnoException).code ?? '')) {
    return failure('lab-server-unreachable', `${address} can not be reached: ${cause.message}`, { begun: false, cause })
  }
  const how = 'give the lab a certificate for its name, or name the authority that signed it in ca'
  return failure('lab-server-certificate', `the certificate of ${address} is not trusted (${cause.message}): ${how}`, {
    begun: false,
    cause,
  })
}

function broken({ href }: URL, cause: Error, connected: boolean): LabError {
  if (!connected) return unconnected(href, cause)
  return failure('lab-server-silent', `${href} broke off before it had answered: ${cause.message}`, { cause })
}

function credentialsRefused({ base, username }: LabServerAccess, text: string): LabError {
  const told = messagesSchema.safeParse(jsonOf(text))
  const why = told.success && told.data.error_messages.length > 0 ? `: ${told.data.error_messages.join('; ')}` : ''
  const how = 'look at username and passwordFile, and at WEBLAB_USERNAME and WEBLAB_PASSWORD of the lab'
  return failure(
    'lab-server-credentials',
    `${base} does not take the user name ${username} with its password${why} (${how})`,
    {
      begun: false,
    },
  )
}

/** What the text is; undefined when it is no JSON. */
function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function failure(code: string, message: string, more: { begun?: false; cause?: Error } = {}): LabError {
  const { begun, cause } = more
  return new LabError({
    code,
    kind: 'instrument',
    retry: 'later',
    message,
    studentMessage: 'The server of this lab does not work as it should. The staff can see why.',
    ...(begun === undefined ? {} : { details: { begun } }),
    ...(cause === undefined ? {} : { cause }),
  })
}
