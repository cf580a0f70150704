/** People with tokens, and their ends of a session's WebSocket. */
import type { LiveMethod, LiveNotification, LiveParams, Session } from '@fernlab/shared/contracts/sessions'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { createRpcClient } from '@fernlab/shared/rpc/client'
import { WebSocket } from 'ws'
import type { TestHub } from './hub-with-node.ts'

export interface TestPerson {
  readonly id: string
  readonly bearer: { readonly authorization: string }
  /** As a browser that is signed in sends it. */
  readonly browser: { readonly cookie: string; readonly origin: string }
  ask(method: string, path: string, json?: unknown): Promise<{ status: number; body: unknown }>
}

let people = 0

/** A hub, and calls to it in the name of an admin. */
export type Joined = Pick<TestHub, 'call'> & { readonly hub: Pick<TestHub['hub'], 'httpUrl'> }

/** Somebody who joined by an invitation and made a token. */
export async function newPerson(
  lab: Joined,
  role: 'student' | 'instructor' | 'builder' = 'student',
  scopes: readonly string[] = ['read', 'run'],
): Promise<TestPerson> {
  const number = ++people
  const name = `Person ${number}`
  const invited = await lab.call('/api/v1/invitations', { method: 'POST', json: { role, most: 1 } })
  const { link } = (await invited.json()) as { link: string }
  const token = new URLSearchParams(new URL(link).hash.slice(1)).get('token')
  const email = `person-${number}@lab.example`
  const password = 'a-long-enough-password'
  const post = (path: string, json: unknown, headers: Record<string, string> = {}) =>
    fetch(`${lab.hub.httpUrl}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: lab.hub.httpUrl, ...headers },
      body: JSON.stringify(json),
    })
  const joined = await post('/api/v1/join', { token, name, email, password })
  if (!joined.ok) throw new Error(`nobody joined: ${await joined.text()}`)
  const cookie = joined.headers
    .getSetCookie()
    .map((line) => line.split(';')[0])
    .join('; ')
  const made = await post('/api/v1/tokens', { name: 'test', scopes }, { cookie })
  const body = (await made.json()) as { token: string }
  const bearer = { authorization: `Bearer ${body.token}` }
  const me = (await (await fetch(`${lab.hub.httpUrl}/api/v1/me`, { headers: bearer })).json()) as { id: string }
  return {
    id: me.id,
    bearer,
    browser: { cookie, origin: lab.hub.httpUrl },
    ask: async (method, path, json) => {
      const response = await fetch(`${lab.hub.httpUrl}${path}`, {
        method,
        headers: { ...bearer, ...(json === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      })
      const text = await response.text()
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
    },
  }
}

export interface TestViewer {
  readonly socket: WebSocket
  /** Everything told so far, by name. */
  told<Name extends LiveNotification>(name: Name): LiveParams<Name>[]
  call(method: LiveMethod, params?: unknown): Promise<unknown>
  /** Resolves with the close code. */
  readonly closed: Promise<number>
  close(): void
}

/** Comes in at the session's WebSocket; rejects with the status of a refusal. */
export async function watch(
  lab: { readonly hub: { readonly httpUrl: string } },
  id: string,
  headers: Readonly<Record<string, string>>,
): Promise<TestViewer> {
  const url = `${lab.hub.httpUrl.replace(/^http/, 'ws')}/api/v1/sessions/${id}/live`
  const socket = new WebSocket(url, { headers })
  const told = new Map<string, unknown[]>()
  const client = createRpcClient({
    send: (text) => socket.send(text),
    onNotification: (method, params) => void told.set(method, [...(told.get(method) ?? []), params]),
    clock: systemClock,
  })
  socket.on('message', (data) => client.receive(String(data)))
  const closed = new Promise<number>((resolve) =>
    socket.once('close', (code) => {
      client.end('the connection was closed')
      resolve(code)
    }),
  )
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('unexpected-response', (_request, response) => {
      reject(Object.assign(new Error(`refused with ${response.statusCode}`), { status: response.statusCode }))
      socket.terminate()
    })
    socket.once('error', reject)
  })
  return {
    socket,
    told: <Name extends LiveNotification>(name: Name) => (told.get(name) ?? []) as LiveParams<Name>[],
    call: (method, params = {}) => client.call(method, params),
    closed,
    close: () => socket.close(),
  }
}

/** The session as its viewer was told last. */
export const toldState = (viewer: TestViewer): Session['state'] | undefined => viewer.told('session').at(-1)?.state
