/**
 * Passes one request on to a lab's own server, and its answer back, as they come.
 *
 * INVARIANTS: neither side is read faster than the other takes it; nothing is held but the heads; whichever side breaks
 * off, or the session, ends the other; what has been answered is noted.
 */
import {
  type Agent,
  type ClientRequest,
  type IncomingMessage,
  request as requestHttp,
  type ServerResponse,
} from 'node:http'
import type { Duplex } from 'node:stream'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import { type Between, headersToBrowser, headersToLab } from './headers.ts'
import { watchUploads } from './uploads.ts'
import type { VisitUse } from './visit-use.ts'

export interface ForwardOptions {
  readonly agent: Agent
  readonly between: Between
  readonly personId: string
  readonly use: VisitUse
  /** Aborts when the session is over. */
  readonly over: AbortSignal
  readonly clock: Clock
}

/** Why there is no answer. */
export type NoAnswer = 'unreachable' | 'late' | 'busy'

/** How long a lab may think about a request that it has whole. */
export const ANSWER_MS = 60_000
const MOST_ANSWER_HEAD = 32 * 1024

/** Resolves when all is done, with why where nothing was answered. */
export function forward(
  request: IncomingMessage,
  response: ServerResponse,
  options: ForwardOptions,
): Promise<NoAnswer | undefined> {
  const { between, personId, use, over, clock } = options
  const { method = 'GET', url: target = '/' } = request
  const uploads = watchUploads(request.headers['content-type'])
  let sentBytes = 0
  let receivedBytes = 0
  return new Promise((resolve) => {
    const toLab = begin(request, options)
    const cancelLate = onSilence(clock, request, () => toLab.destroy(late()))
    let answered = false
    let ended = false
    const end = (why?: NoAnswer) => {
      if (ended) return
      ended = true
      cancelLate()
      over.removeEventListener('abort', onOver)
      toLab.destroy()
      if (answered && !response.writableFinished) response.destroy()
      resolve(answered ? undefined : why)
    }
    const onOver = () => end('unreachable')
    over.addEventListener('abort', onOver, { once: true })
    if (over.aborted) onOver()

    toLab.on('error', (error) => end(whyNot(error)))
    toLab.on('response', (answer) => {
      answered = true
      cancelLate()
      answer.on('error', () => end())
      answer.on('data', (chunk: Buffer) => {
        receivedBytes += chunk.byteLength
      })
      response.on('finish', () => {
        const isPage = looksLikePage(request, answer)
        const status = answer.statusCode ?? 0
        const files = uploads?.files ?? []
        use.note({ personId, method, target, status, isPage, sentBytes, receivedBytes, uploads: files })
        end()
      })
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage, headersToBrowser(answer, between))
      answer.pipe(response)
    })
    response.on('close', () => end())
    request.on('data', (chunk: Buffer) => {
      sentBytes += chunk.byteLength
      uploads?.note(chunk)
    })
    request.on('error', () => end())
    // The lab may refuse a body by its head alone.
    if (bringsBody(request)) toLab.flushHeaders()
    request.pipe(toLab)
  })
}

/** The same for a request to speak WebSocket from here on. */
export function forwardSocket(
  request: IncomingMessage,
  { socket, head }: { readonly socket: Duplex; readonly head: Buffer },
  options: ForwardOptions,
): Promise<NoAnswer | undefined> {
  const { between, personId, use, over, clock } = options
  const { method = 'GET', url: target = '/' } = request
  return new Promise((resolve) => {
    const toLab = begin(request, options, { connection: 'Upgrade', upgrade: 'websocket' })
    let answered = false
    let other: Duplex | undefined
    let ended = false
    const end = (why?: NoAnswer) => {
      if (ended) return
      ended = true
      cancelLate()
      over.removeEventListener('abort', onOver)
      toLab.destroy()
      other?.destroy()
      if (answered) socket.destroy()
      resolve(answered ? undefined : why)
    }
    const onOver = () => end('unreachable')
    const cancelLate = clock.after(ANSWER_MS, () => end('late'))
    over.addEventListener('abort', onOver, { once: true })
    if (over.aborted) onOver()
    const note = (status: number) =>
      use.note({ personId, method, target, status, isPage: true, sentBytes: 0, receivedBytes: 0, uploads: [] })

    toLab.on('error', (error) => end(whyNot(error)))
    toLab.on('upgrade', (answer, lab: Duplex, first: Buffer) => {
      answered = true
      other = lab
      cancelLate()
      note(101)
      writeHead(socket, answer, { ...headersToBrowser(answer, between), connection: 'Upgrade', upgrade: 'websocket' })
      lab.unshift(first)
      socket.unshift(head)
      for (const one of [lab, socket]) {
        one.on('error', () => end())
        one.on('close', () => end())
      }
      lab.pipe(socket)
      socket.pipe(lab)
    })
    toLab.on('response', (answer) => {
      answered = true
      cancelLate()
      note(answer.statusCode ?? 0)
      answer.on('error', () => end())
      const { 'content-length': _, ...headers } = headersToBrowser(answer, between)
      writeHead(socket, answer, { ...headers, connection: 'close' })
      answer.pipe(socket)
      socket.on('finish', () => end())
    })
    socket.on('error', () => end())
    socket.on('close', () => end())
    toLab.end()
  })
}

const bringsBody = ({ headers }: IncomingMessage): boolean =>
  headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0

function begin(
  request: IncomingMessage,
  { agent, between }: ForwardOptions,
  more: Record<string, string> = {},
): ClientRequest {
  const { hostname, port } = new URL(between.lab)
  return requestHttp({
    agent,
    // Names the connection for the agent; where it leads is the agent's to say.
    host: hostname,
    port,
    method: request.method,
    path: request.url,
    headers: { ...headersToLab(request, between), ...more },
    setHost: false,
    maxHeaderSize: MOST_ANSWER_HEAD,
  })
}

/** Calls back when nothing has been sent for `ANSWER_MS`. */
function onSilence(clock: Clock, request: IncomingMessage, silent: () => void): () => void {
  let cancel = clock.after(ANSWER_MS, silent)
  request.on('data', () => {
    cancel()
    cancel = clock.after(ANSWER_MS, silent)
  })
  return () => cancel()
}

/** A head whose values the parser of the answer has let through. */
function writeHead(socket: Duplex, answer: IncomingMessage, headers: ReturnType<typeof headersToBrowser>): void {
  const lines = [`HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}`]
  for (const [name, values] of Object.entries(headers)) {
    for (const value of Array.isArray(values) ? values : [values]) lines.push(`${name}: ${value}`)
  }
  socket.write(Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1'))
}

function looksLikePage({ headers, method }: IncomingMessage, answer: IncomingMessage): boolean {
  if (method !== 'GET') return false
  const isShown =
    headers['sec-fetch-dest'] === undefined || /^(document|i?frame)$/.test(String(headers['sec-fetch-dest']))
  return isShown && /^text\/html\b/i.test(answer.headers['content-type'] ?? '')
}

const late = () =>
  new LabError({ code: 'lab-server-late', kind: 'instrument', message: 'the lab’s server has not answered' })

function whyNot(error: Error): NoAnswer {
  const code = error instanceof LabError ? error.code : ''
  return code === 'lab-server-late' ? 'late' : code === 'session-busy' ? 'busy' : 'unreachable'
}
