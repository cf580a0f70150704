/**
 * What a lab's own page says, heard and answered. The page is a stranger.
 *
 * INVARIANTS: only the window of the frame is heard, and only while it is sandboxed; one port is open at a time, the
 * newest; nothing is done but what `PageCalls` lists, and what drives only while the state says ready; what goes out holds
 * nothing of the person; calls are bounded in size, number and rate.
 */
import {
  type FromLabPage,
  LAB_PAGE_VERSION,
  type PageHello,
  type PageMethod,
  type PageState,
  type PageWelcome,
  type ToLabPage,
} from '@fernlab/shared/contracts/lab-page'
import type { SessionSamples } from '@fernlab/shared/contracts/sync'
import { ApiProblem } from '../api/client.ts'

export interface PageLinkOptions {
  /** Where messages of frames arrive: in a browser the window. */
  readonly mailbox: EventTarget
  /** The window of the frame, as it is now. */
  readonly frame: () => MessageEventSource | null
  readonly state: PageState
  /** The newest readings, for a page that has just come. */
  readonly newest: () => SessionSamples
  /** Does what was asked for; what it returns goes to the page. */
  readonly perform: (method: PageMethod, params: object) => Promise<unknown>
  /** Why it was refused, in the words of the person's language. */
  readonly why: (error: unknown) => string
  readonly onHeight: (height: number) => void
  readonly onAnswering: (answering: boolean) => void
  readonly now?: () => number
}

export interface PageLink {
  tell(state: PageState): void
  samples(samples: SessionSamples): void
  /** To be called every few seconds: asks the page whether it is there, and notices when it has long said nothing. */
  beat(): void
  close(): void
}

const mostAtOnce = 8
const mostPerSecond = 25
const mostLetters = 16_000
/** A page says hello once, and again where nobody answers; each answer is a new port. */
const mostHellosPerSecond = 5
/** How often it may be given another height: each is drawn. */
const heightMs = 100
/** So many beats without a word mean that the page does not answer. */
const silentBeats = 3
/** The time left is told anew when it is otherwise than the page counts. */
const driftS = 2

const calls: ReadonlySet<string> = new Set<PageMethod>([
  'set',
  'call',
  'read',
  'extend',
  'finish',
  'data',
  'download',
] satisfies PageMethod[])
const drives: ReadonlySet<string> = new Set<PageMethod>(['set', 'call', 'read'])
const ofOwner: ReadonlySet<string> = new Set<PageMethod>(['extend', 'finish'])

/** Listens to the frame until it is closed. */
export function openPageLink(options: PageLinkOptions): PageLink {
  const { mailbox, frame, now = () => performance.now() } = options
  let state = options.state
  let toldAt = now()
  let port: MessagePort | undefined
  let underWay = 0
  let allowed = mostPerSecond
  let allowedAt = now()
  let hellos = mostHellosPerSecond
  let hellosAt = now()
  let height: { wanted: number; timer: ReturnType<typeof setTimeout> } | undefined
  let beats = 0
  let isAnswering = true

  const heard = () => {
    beats = 0
    if (isAnswering) return
    isAnswering = true
    options.onAnswering(true)
  }
  const say = (message: ToLabPage) => port?.postMessage(message)

  const listen = (event: Event) => {
    const { source, origin, data } = event as MessageEvent
    // A sandboxed frame is of no origin; one that has an origin is not the frame that was made.
    if (source === null || source !== frame() || origin !== 'null' || !isHello(data)) return
    hellos = Math.min(mostHellosPerSecond, hellos + ((now() - hellosAt) / 1000) * mostHellosPerSecond)
    hellosAt = now()
    if (hellos < 1) return
    hellos--
    port?.close()
    const channel = new MessageChannel()
    port = channel.port1
    const own = port
    own.onmessage = ({ data: message }: MessageEvent<unknown>) => {
      if (port === own) take(own, message)
    }
    const welcome: PageWelcome = { fernlab: LAB_PAGE_VERSION, welcome: data.hello, state: stateNow() }
    // There is no name for the origin of a sandboxed frame; the port goes to the window that was heard.
    ;(source as Window).postMessage(welcome, '*', [channel.port2])
    heard()
    const samples = options.newest()
    if (Object.keys(samples).length > 0) say({ samples })
  }

  const stateNow = (): PageState => ({
    ...state,
    secondsLeft: state.secondsLeft === null ? null : Math.max(0, state.secondsLeft - (now() - toldAt) / 1000),
  })

  const mayCall = (): boolean => {
    allowed = Math.min(mostPerSecond, allowed + ((now() - allowedAt) / 1000) * mostPerSecond)
    allowedAt = now()
    if (allowed < 1 || underWay >= mostAtOnce) return false
    allowed--
    return true
  }

  /** At once, and then the last of what is wanted meanwhile. */
  const resize = (wanted: number) => {
    if (height !== undefined) {
      height.wanted = wanted
      return
    }
    options.onHeight(wanted)
    const timer = setTimeout(() => {
      const last = height?.wanted ?? wanted
      height = undefined
      if (last !== wanted) resize(last)
    }, heightMs)
    height = { wanted, timer }
  }

  const take = (own: MessagePort, message: unknown) => {
    if (!isMessage(message)) return
    heard()
    if ('height' in message) {
      if (Number.isFinite(message.height)) resize(message.height)
    } else if ('id' in message) void answer(own, message)
  }

  const answer = async (own: MessagePort, { id, method, params }: Extract<FromLabPage, { id: number }>) => {
    const reply = (message: ToLabPage) => {
      if (port === own) own.postMessage(message)
    }
    if (!mayCall()) return reply({ id, error: refused('too-many-calls', options.why) })
    underWay++
    try {
      reply({ id, result: await options.perform(method, checked(method, params, state)) })
    } catch (error) {
      const code = error instanceof ApiProblem ? error.code : 'internal'
      reply({ id, error: { code, message: options.why(error) } })
    } finally {
      underWay--
    }
  }

  mailbox.addEventListener('message', listen)
  return {
    tell: (next) => {
      const { secondsLeft: left, ...rest } = next
      const { secondsLeft: counted, ...before } = stateNow()
      const drifted = (left === null) !== (counted === null) || Math.abs((left ?? 0) - (counted ?? 0)) > driftS
      if (!drifted && JSON.stringify(rest) === JSON.stringify(before)) return
      state = next
      toldAt = now()
      say({ state })
    },
    samples: (samples) => say({ samples }),
    beat: () => {
      say({ ping: beats })
      if (++beats <= silentBeats || !isAnswering) return
      isAnswering = false
      options.onAnswering(false)
    },
    close: () => {
      mailbox.removeEventListener('message', listen)
      clearTimeout(height?.timer)
      port?.close()
      port = undefined
    },
  }
}

/** What goes on to the hub, which checks it by the schemas of its calls. */
function checked(method: string, params: unknown, { ready, role }: PageState): object {
  if (!calls.has(method)) throw new ApiProblem(400, { code: 'method-unknown' })
  if (drives.has(method) && !ready) throw new ApiProblem(409, { code: 'not-in-control' })
  if (method === 'finish' && role === 'partner' && !ready) throw new ApiProblem(409, { code: 'not-in-control' })
  if (role === 'observer' ? ofOwner.has(method) : role === 'partner' && method === 'extend') {
    throw new ApiProblem(403, { code: 'forbidden' })
  }
  const text = asJson(params)
  if (text === undefined || text.length > mostLetters || !text.startsWith('{')) {
    throw new ApiProblem(400, { code: 'call-invalid' })
  }
  return JSON.parse(text) as object
}

/** Undefined for what JSON can't say, such as an object that holds itself. */
function asJson(value: unknown): string | undefined {
  try {
    return JSON.stringify(value)
  } catch (error) {
    if (error instanceof TypeError) return undefined
    throw error
  }
}

const refused = (code: string, why: PageLinkOptions['why']) => ({ code, message: why(new ApiProblem(429, { code })) })

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null

const isHello = (data: unknown): data is PageHello =>
  isObject(data) && data.fernlab === LAB_PAGE_VERSION && typeof data.hello === 'string' && data.hello.length <= 100

function isMessage(data: unknown): data is FromLabPage {
  if (!isObject(data)) return false
  if (typeof data.height === 'number' || typeof data.pong === 'number') return true
  return Number.isSafeInteger(data.id) && typeof data.method === 'string'
}
