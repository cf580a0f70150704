/**
 * One daemon under supervision: started, asked whether it is well, started again when it ends, stopped.
 *
 * INVARIANTS: at most one process of it runs; whatever comes of a process that is not the newest counts for nothing; `down`
 * ends within STOP_MS and a bit, whatever the process does; a daemon that was stopped is started by `up` alone.
 */
import type { DaemonState } from '@fernlab/shared/contracts/daemon-control'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'
import type { Peer } from '@fernlab/shared/rpc/peer/peer'
import { callBroken, nextStep } from './call-broken.ts'
import { type DaemonEvent, nextState, pauseAfter } from './daemon-state.ts'
import { type HostProcess, type HostProcessOptions, START_MS } from './host-process.ts'

export interface DaemonOptions {
  readonly name: string
  readonly clock: Clock
  readonly memoryMB: number
  readonly hungS: number
  readonly start: (listeners: Pick<HostProcessOptions, 'onPeer' | 'onEnd'>) => HostProcess
  /** Makes its services; a rejection ends the process. */
  readonly load: (peer: Peer) => Promise<void>
  /** Why it is to be started again though it answers, if there is a reason. */
  readonly stuck?: () => string | undefined
  /** The state has changed. */
  readonly onState: (state: DaemonState, reason: string | undefined, words: string | undefined) => void
}

/** How often it is asked whether it is well, and how many times without an answer make it unhealthy. */
const PING_MS = 2000
const MISSED = 3
const STOP_MS = 3000
/** A process whose link has ended is known to have ended within that time, or is asked in vain soon after. */
const ENDING_MS = 2000
const STOPPED = 'it was stopped'

/** Of one process: whether its link has ended, and why it has itself, as soon as that is known. */
interface Ending {
  isLinkOver: boolean
  readonly reason: Promise<string>
  readonly tell: (reason: string) => void
}

/** Of which call or stream something was thrown, and of whose process. */
export interface Thrown {
  /** That the call went to; undefined: to none. */
  readonly peer: Peer | undefined
  /** As its caller named it. */
  readonly called: string
}

const linkIsOver = ({ code }: LabError) => code === 'link-ended' || code === 'call-uncertain'

export class Daemon {
  readonly #options: DaemonOptions
  readonly #ends: number[] = []
  readonly #endings = new WeakMap<Peer, Ending>()
  #state: DaemonState = 'stopped'
  #reason: string | undefined
  #words: string | undefined
  #process: HostProcess | undefined
  #peer: Peer | undefined
  #cancel: () => void = () => {}
  #stopping: Promise<void> | undefined
  #upSinceMs: number | undefined
  #lastUpMs: number | undefined
  #restarts = 0
  #lastEnd: { readonly atMs: number; readonly reason: string } | undefined

  constructor(options: DaemonOptions) {
    this.#options = options
  }

  get state(): DaemonState {
    return this.#state
  }

  /** Why it is not up, as anybody may know it. */
  get reason(): string | undefined {
    return this.#reason
  }

  /** What its process said before it ended, which is nothing for clients. */
  get words(): string | undefined {
    return this.#words
  }

  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Epoch milliseconds, UTC. */
  get upSinceMs(): number | undefined {
    return this.#upSinceMs
  }

  /** Of one that is not up: when it last was, in epoch milliseconds, whether it was lost or stopped. */
  get lastUpMs(): number | undefined {
    return this.#lastUpMs
  }

  /** How often its process ended unasked in the last minute. */
  get ends(): number {
    return this.#ends.length
  }

  /** How often it was started again by itself. */
  get restarts(): number {
    return this.#restarts
  }

  /** When its process last ended unasked, in epoch milliseconds, and why. */
  get lastEnd(): { readonly atMs: number; readonly reason: string } | undefined {
    return this.#lastEnd
  }

  /** What its process has of the memory now, in bytes. */
  async memoryBytes(): Promise<number | undefined> {
    return await this.#process?.memoryBytes()
  }

  /** Its process, while that answers; throws `service-gone` or `service-unhealthy` otherwise. */
  peer(service: string): Peer {
    if (this.#state === 'up' && this.#peer !== undefined) return this.#peer
    const isUnhealthy = this.#state === 'unhealthy'
    throw new LabError({
      code: isUnhealthy ? 'service-unhealthy' : 'service-gone',
      kind: 'link',
      retry: 'later',
      message: `${service} can not be used: its daemon is ${this.#state}${this.#reason === undefined ? '' : ` (${this.#reason})`}; ${nextStep(this.#state, this.#options.name)}`,
    })
  }

  /** What was thrown, or where the link to the process broke: that it has ended, and how, once that is known. */
  async broken(thrown: unknown, { peer, called }: Thrown): Promise<LabError> {
    const error = asLabError(thrown)
    const ending = peer === undefined ? undefined : this.#endings.get(peer)
    // A service may say the same of a link of its own.
    if (ending?.isLinkOver !== true || !linkIsOver(error)) return error
    const reason = await ending.reason
    const isUncertain = error.code === 'call-uncertain'
    return callBroken({ called, daemon: this.#options.name, reason, state: this.#state, isUncertain })
  }

  /** Says that to its process, also to one that does not answer just now; returns why it could not be said, if there is one. */
  tell(method: string, params: unknown): LabError | undefined {
    try {
      this.#peer?.send(method, params)
      return undefined
    } catch (thrown) {
      return asLabError(thrown)
    }
  }

  /** Starts it; false when it is started already. */
  async up(): Promise<boolean> {
    await this.#stopping
    if (this.#state === 'backing-off') {
      this.#cancel()
      this.#step('stop')
    }
    if (this.#state !== 'stopped' && this.#state !== 'failed') return false
    this.#ends.length = 0
    this.#step('start')
    this.#start()
    return true
  }

  /** Stops it; false when it is stopped already. */
  async down(): Promise<boolean> {
    if (this.#state === 'stopped') return false
    if (this.#state === 'stopping') {
      await this.#stopping
      return true
    }
    this.#cancel()
    this.#step('stop')
    if (this.#process === undefined) return true
    this.#stopping = this.#process.stop(STOP_MS)
    await this.#stopping
    this.#stopping = undefined
    return true
  }

  #step(event: DaemonEvent, reason?: string, words?: string): void {
    if (this.#state === 'up') this.#lastUpMs = this.#options.clock.now()
    this.#state = nextState(this.#state, event)
    this.#reason = reason
    this.#words = words
    this.#upSinceMs = event === 'ready' ? this.#options.clock.now() : this.#upSinceMs
    this.#options.onState(this.#state, reason, words)
  }

  #start(): void {
    const { clock, start, load } = this.#options
    let ending: Ending | undefined
    const process = start({
      onPeer: (peer) => {
        if (this.#process !== process) return
        this.#peer = peer
        ending = endingOf(peer, clock, () => this.#state === 'stopping')
        this.#endings.set(peer, ending)
        load(peer).then(
          () => {
            if (this.#process !== process || this.#state !== 'starting') return
            this.#cancel()
            this.#step('ready')
            this.#watch(process, peer)
          },
          // When the process has ended meanwhile, that is the reason which counts.
          (thrown: unknown) => process.kill(`its services could not be made: ${asLabError(thrown).message}`),
        )
      },
      onEnd: (reason, words) => {
        const wasStopped = this.#state === 'stopping'
        if (this.#process === process) this.#ended(reason, words)
        ending?.tell(wasStopped ? STOPPED : reason)
      },
    })
    this.#process = process
    this.#cancel = clock.after(START_MS, () => process.kill(`it was not ready within ${START_MS / 1000} s`))
  }

  /** Asks it every PING_MS; one question is under way at most, so that a late answer is one. */
  #watch(process: HostProcess, peer: Peer): void {
    const { clock, memoryMB, hungS, stuck } = this.#options
    let isAsked = false
    let missed = 0
    const tick = () => {
      if (this.#process !== process || this.#state === 'stopping') return
      if (isAsked) missed++
      else {
        isAsked = true
        peer.call('rpc.ping', undefined, { timeoutMs: Number.POSITIVE_INFINITY }).then(
          () => {
            isAsked = false
            missed = 0
            if (this.#process === process && this.#state === 'unhealthy') this.#step('answer')
          },
          (thrown: unknown) => {
            isAsked = false
            // Any other error, as that too much is under way, says nothing of how it is.
            if (linkIsOver(asLabError(thrown))) process.kill('its link ended')
          },
        )
      }
      if (missed === MISSED && this.#state === 'up')
        this.#step('silence', `it has not answered for ${(MISSED * PING_MS) / 1000} s`)
      if (missed * PING_MS >= hungS * 1000) return process.kill(`it did not answer for ${hungS} s`)
      const why = stuck?.()
      if (why !== undefined) return process.kill(why)
      void process.memoryBytes().then((bytes = 0) => {
        if (bytes > memoryMB * 1024 * 1024)
          process.kill(`it had ${Math.round(bytes / 1024 / 1024)} MB of memory, and may have ${memoryMB} MB`)
      })
      this.#cancel = clock.after(PING_MS, tick)
    }
    this.#cancel = clock.after(PING_MS, tick)
  }

  #ended(reason: string, words: string | undefined): void {
    const { clock } = this.#options
    this.#cancel()
    this.#process = undefined
    this.#peer = undefined
    this.#upSinceMs = undefined
    if (this.#state === 'stopping') {
      this.#step('end')
      return
    }
    this.#lastEnd = { atMs: clock.now(), reason }
    this.#step('end', reason, words)
    this.#ends.push(clock.monotonic())
    const pauseMs = pauseAfter(this.#ends, clock.monotonic())
    if (pauseMs === undefined) {
      this.#step('give-up', `it ended ${this.#ends.length} times within a minute, at last because ${reason}`, words)
      return
    }
    this.#cancel = clock.after(pauseMs, () => {
      // A throw in a timer would end the node.
      if (this.#state !== 'backing-off') return
      this.#restarts++
      this.#step('due', this.#reason, this.#words)
      this.#start()
    })
  }
}

function endingOf(peer: Peer, clock: Clock, isStopping: () => boolean): Ending {
  let told: (reason: string) => void = () => {}
  const reason = new Promise<string>((resolve) => {
    told = resolve
  })
  let isTold = false
  let cancel = () => {}
  const tell = (why: string) => {
    cancel()
    isTold = true
    told(why)
  }
  const ending: Ending = { isLinkOver: false, reason, tell }
  peer.onEnd(() => {
    ending.isLinkOver = true
    if (isStopping()) tell(STOPPED)
    else if (!isTold) cancel = clock.after(ENDING_MS, () => tell('its link ended'))
  })
  return ending
}
