/** A hub or a node as an operating system process of its own that is killed, watched and started again. */
import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream, readdirSync, readFileSync, type WriteStream } from 'node:fs'
import { root } from '../source-files.ts'
import { pause } from './hub-client.ts'

export interface OwnProcessOptions {
  readonly name: string
  readonly script: string
  readonly args?: readonly string[]
  readonly env: Readonly<Record<string, string>>
  readonly logFile: string
  /** Resolves when it works; called after each start. */
  readonly ready: () => Promise<void>
  /** Put before the program: `strace …`. */
  readonly wrapper?: readonly string[]
}

export class OwnProcess {
  readonly #options: OwnProcessOptions
  readonly #log: WriteStream
  #child: ChildProcess | undefined
  #ended: Promise<string> = Promise.resolve('not started')
  #watching = false
  #restarting: Promise<void> = Promise.resolve()
  /** How each of its processes ended: an exit code or a signal's name. */
  readonly ends: string[] = []

  constructor(options: OwnProcessOptions) {
    this.#options = options
    this.#log = createWriteStream(options.logFile, { flags: 'a' })
  }

  get pid(): number {
    return this.#child?.pid ?? -1
  }

  get running(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** Starts it, armed with a fault point if one is named, and waits until it is ready. */
  async start(env: Readonly<Record<string, string>> = {}): Promise<void> {
    this.launch(env)
    await this.#ready()
  }

  /** Starts it without waiting. */
  launch(env: Readonly<Record<string, string>> = {}): void {
    const { script, args = [], wrapper = [] } = this.#options
    const [command = process.execPath, ...rest] = [...wrapper, process.execPath, script, ...args]
    const { FERNLAB_TEST_REPORT: _report, ...inherited } = process.env
    const child = spawn(command, rest, {
      cwd: root,
      env: { ...inherited, ...this.#options.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    child.stdout.pipe(this.#log, { end: false })
    child.stderr.pipe(this.#log, { end: false })
    this.#child = child
    this.#ended = new Promise((resolve) => {
      child.once('error', (error) => resolve(error.message))
      child.once('exit', (code, signal) => resolve(signal ?? String(code)))
    })
    void this.#ended.then((how) => {
      this.ends.push(how)
      if (!this.#watching) return
      this.#restarting = this.start()
      this.#restarting.catch(() => {}) // whoever waits for `settled` is told
    })
  }

  async #ready(): Promise<void> {
    const died = this.#ended.then((how) => {
      throw new Error(`${this.#options.name} ended (${how}) before it was ready; see ${this.#options.logFile}`)
    })
    await Promise.race([this.#options.ready(), died])
  }

  /** From now on it is started again, unarmed, whenever it ends. */
  watch(): void {
    this.#watching = true
  }

  unwatch(): void {
    this.#watching = false
  }

  /** Resolves when a restart that is under way is done. */
  async settled(): Promise<void> {
    await this.#restarting
  }

  /** Resolves with how it ended. */
  ended(): Promise<string> {
    return this.#ended
  }

  signal(signal: NodeJS.Signals): void {
    const child = this.#child
    if (child?.pid === undefined || !this.running) return
    // A tracer that is killed lets its child live: the child is what is meant, and the tracer ends as it does.
    const inner = this.#options.wrapper === undefined ? [] : childrenOf(child.pid)
    if (inner.length === 0) child.kill(signal)
    else for (const pid of inner) process.kill(pid, signal)
  }

  /** SIGSTOP; resolves when it does nothing any more. */
  async freeze(): Promise<void> {
    this.signal('SIGSTOP')
    await untilStopped(this.pid)
  }

  /** SIGKILL, and waits; it is not started again. */
  async kill(): Promise<void> {
    this.#watching = false
    this.signal('SIGKILL')
    await this.#ended
  }

  /** SIGTERM, and waits. */
  async stop(): Promise<string> {
    this.#watching = false
    await this.#restarting.catch(() => {}) // it is to be stopped anyway
    this.signal('SIGTERM')
    const timer = setTimeout(() => this.signal('SIGKILL'), 10_000)
    const how = await this.#ended
    clearTimeout(timer)
    return how
  }

  close(): void {
    this.#log.end()
  }
}

/** Resolves when each thread of it has stopped: one that is waiting for a disk stops only once that has answered. */
export async function untilStopped(pid: number): Promise<void> {
  const threads = `/proc/${pid}/task`
  const runs = (thread: string) => !/\) [tTZX] /.test(readFileSync(`${threads}/${thread}/stat`, 'utf8'))
  while (readdirSync(threads).some(runs)) await pause(2)
}

function childrenOf(pid: number): number[] {
  return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number)
}
