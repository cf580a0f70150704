/**
 * The library of labs' own pages: `import { connect } from '/fernlab.js'`. It speaks with the page of the session around
 * the frame, over a port that only the two have; it depends on nothing, and knows nothing of the person.
 */
import type {
  FromLabPage,
  PageCalls,
  PageHello,
  PageState,
  PageWelcome,
  ToLabPage,
} from '@fernlab/shared/contracts/lab-page'

export type Value = number | boolean | string

/** A signal of the bench, by `part.signal`. */
export interface Signal {
  readonly title: string
  readonly unit: string
  readonly dtype: 'number' | 'integer' | 'boolean' | 'string' | 'array'
  readonly access: 'read' | 'set' | 'read-set'
  readonly limits?: { readonly low?: number | undefined; readonly high?: number | undefined } | undefined
  readonly values?: readonly Value[] | undefined
}

/** Readings of one signal, the oldest first; times in epoch seconds of the bench's clock. */
export interface Samples {
  readonly unit: string
  readonly time: readonly number[]
  readonly values: readonly Value[]
}

export interface Events {
  /** The newest value of each signal that was read. */
  signals: Readonly<Record<string, Value>>
  /** Every reading, for charts. */
  samples: Readonly<Record<string, Samples>>
  /** Something else about the session has changed: whether commands are taken, the time left, language or theme. */
  state: Session
}

export interface Session {
  /** `active`, and `finishing` at the end. */
  readonly state: 'waiting' | 'preparing' | 'active' | 'finishing' | 'closed'
  /** Whether commands are taken now: the bench can be reached, and this person has the controls. */
  readonly ready: boolean
  /** Observers look on. */
  readonly role: 'owner' | 'partner' | 'observer'
  /** Seconds that are left; undefined until it is known. */
  readonly timeLeft: number | undefined
  readonly signals: Readonly<Record<string, Signal>>
  /** The newest value of each signal, as far as it was read. */
  readonly values: Readonly<Record<string, Value>>
  /** `en`, `es`: as the person reads the page around. */
  readonly language: string
  readonly theme: 'light' | 'dark'
  /** Calls back whenever it happens; returns how to stop. */
  on<Name extends keyof Events>(name: Name, listener: (event: Events[Name]) => void): () => void
  /** Sets a signal, in its unit. While one value is under way the next ones wait, and of each signal only the last goes out. */
  set(signal: string, value: Value): Promise<void>
  /** Calls an action of a part. */
  command(part: string, action: string, parameters?: Readonly<Record<string, Value>>): Promise<void>
  /** Reads signals at once. */
  read(...signals: string[]): Promise<Readonly<Record<string, { readonly value: Value; readonly unit: string }>>>
  /** Makes the session so many seconds longer. */
  extend(seconds: number): Promise<void>
  /** Ends the session for everybody in it. */
  finish(): Promise<void>
  readonly files: {
    /** What was recorded so far in a stream, as CSV. */
    data(stream: string): Promise<string>
    /** Puts the same among the person's downloads. */
    download(stream: string): Promise<void>
  }
}

/** Why something was not done; `code` is for programs, the message for people, in their language. */
export class SessionError extends Error {
  readonly code: string
  constructor(code: string, message: string) {
    super(message)
    this.name = 'SessionError'
    this.code = code
  }
}

const answerMs = 10_000
const betweenSetsMs = 100
let connected: Promise<Session> | undefined

/** The session around this page; rejects with `no-session` where there is none. Every call gives the same one. */
export function connect(): Promise<Session> {
  connected ??= shakeHands()
  return connected
}

function shakeHands(): Promise<Session> {
  return new Promise((resolve, reject) => {
    const nonce = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16)).join('-')
    const end = () => {
      clearTimeout(late)
      removeEventListener('message', listen)
    }
    const fail = () => {
      end()
      reject(new SessionError('no-session', 'This page is part of a live session; open it there.'))
    }
    const late = setTimeout(fail, answerMs)
    const listen = ({ source, data, ports }: MessageEvent) => {
      const welcome = data as Partial<PageWelcome> | null
      const [port] = ports
      if (source !== parent || welcome?.welcome !== nonce || welcome.state === undefined || port === undefined) return
      end()
      resolve(open(port, welcome.state))
    }
    if (parent === window) return fail()
    addEventListener('message', listen)
    parent.postMessage({ fernlab: 1, hello: nonce } satisfies PageHello, '*')
  })
}

interface Waiting {
  readonly resolve: (result: never) => void
  readonly reject: (error: SessionError) => void
}

function open(port: MessagePort, first: PageState): Session {
  const listeners = new Map<string, Set<(event: never) => void>>()
  const calls = new Map<number, Waiting>()
  const values: Record<string, Value> = {}
  let state = first
  let toldAt = performance.now()
  let nextId = 1

  const send = (message: FromLabPage) => port.postMessage(message)
  const call = <Name extends keyof PageCalls, Result = unknown>(
    method: Name,
    params: PageCalls[Name],
  ): Promise<Result> =>
    new Promise<Result>((resolve, reject) => {
      const id = nextId++
      calls.set(id, { resolve, reject })
      send({ id, method, params })
    })
  const tell = <Name extends keyof Events>(name: Name, event: Events[Name]) => {
    for (const listener of listeners.get(name) ?? []) (listener as (event: Events[Name]) => void)(event)
  }
  const dress = () => {
    document.documentElement.lang = state.language
    document.documentElement.dataset.theme = state.theme
    document.documentElement.style.colorScheme = state.theme
  }
  const set = newestOf((wanted) => call('set', { values: wanted }))

  const session: Session = {
    get state() {
      return state.session
    },
    get ready() {
      return state.ready
    },
    get role() {
      return state.role
    },
    get timeLeft() {
      const { secondsLeft } = state
      return secondsLeft === null ? undefined : Math.max(0, secondsLeft - (performance.now() - toldAt) / 1000)
    },
    get signals() {
      return state.signals
    },
    values,
    get language() {
      return state.language
    },
    get theme() {
      return state.theme
    },
    on: (name, listener) => {
      const some = listeners.get(name) ?? new Set()
      listeners.set(name, some.add(listener as (event: never) => void))
      return () => void some.delete(listener as (event: never) => void)
    },
    set: (signal, value) => set(signal, value),
    command: async (part, action, parameters) => {
      await call('call', {
        action: `${part}.${action}`,
        ...(parameters === undefined ? {} : { arguments: parameters }),
      })
    },
    read: (...signals) => call('read', { signals }),
    extend: async (seconds) => void (await call('extend', { seconds })),
    finish: async () => void (await call('finish', {})),
    files: {
      data: (stream) => call('data', { stream }),
      download: async (stream) => void (await call('download', { stream })),
    },
  }

  port.onmessage = ({ data }: MessageEvent<ToLabPage>) => {
    if ('ping' in data) send({ pong: data.ping })
    else if ('state' in data) {
      state = data.state
      toldAt = performance.now()
      dress()
      tell('state', session)
    } else if ('samples' in data) {
      for (const [key, samples] of Object.entries(data.samples)) {
        const newest = samples.values.at(-1)
        if (newest !== undefined) values[key] = newest as Value
      }
      tell('samples', data.samples as Events['samples'])
      tell('signals', values)
    } else {
      const waiting = calls.get(data.id)
      calls.delete(data.id)
      if ('error' in data) waiting?.reject(new SessionError(data.error.code, data.error.message))
      else waiting?.resolve(data.result as never)
    }
  }
  dress()
  const root = document.documentElement
  new ResizeObserver(() => send({ height: Math.ceil(root.getBoundingClientRect().height) })).observe(root)
  return session
}

/** Sends one bundle of values at a time; of those that come meanwhile, the last of each signal makes the next bundle. */
function newestOf(
  send: (values: Readonly<Record<string, Value>>) => Promise<unknown>,
): (signal: string, value: Value) => Promise<void> {
  let next: { readonly values: Record<string, Value>; readonly sent: Promise<void> } | undefined
  let before: Promise<unknown> = Promise.resolve()
  return (signal, value) => {
    if (next === undefined) {
      const values: Record<string, Value> = {}
      const sent = before.then(async () => {
        next = undefined
        await send(values)
      })
      next = { values, sent }
      const rested = () => new Promise((resolve) => setTimeout(resolve, betweenSetsMs))
      before = sent.then(rested, rested)
    }
    next.values[signal] = value
    return next.sent
  }
}
