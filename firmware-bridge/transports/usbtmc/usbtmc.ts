/**
 * Messages to a USB instrument through the kernel's driver usbtmc.
 *
 * INVARIANTS: an answer is fetched for a question only, since an instrument that is asked for one that it has not counts
 * that as an error; a message that is written while another one waits takes its place, with the instrument's buffers cleared first.
 */
import { stat } from 'node:fs/promises'
import { userInfo } from 'node:os'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Log } from '@fernlab/shared/primitives/log'
import { groupOf } from '../serial-ports.ts'
import type { Transport } from '../transport.ts'
import { type UsbtmcConfig, usbtmcText } from './config.ts'
import { type Helper, isEnding, startHelper } from './helper.ts'
import { findUsbInstrument, type UsbInstrument, type UsbPlaces, unreachable, usbPlaces } from './instruments.ts'

export interface UsbtmcOptions {
  readonly clock: Clock
  readonly log: Log
  readonly places?: UsbPlaces
}

const USUAL_MS = 5000

/** Whether a message has an answer: it has a question mark outside of quoted text. */
export const isQuestion = (message: Uint8Array): boolean =>
  Buffer.from(message)
    .toString('latin1')
    .replaceAll(/"[^"]*"|'[^']*'/g, '')
    .includes('?')

/** Finds the instrument and opens it; rejects with `transport-unreachable`, or `usbtmc-program-missing` where python3 is. */
export async function openUsbtmc(
  config: UsbtmcConfig,
  signal: AbortSignal,
  options: UsbtmcOptions,
): Promise<Transport> {
  signal.throwIfAborted()
  const instrument = await findUsbInstrument(config, options.places ?? usbPlaces)
  const wire = new UsbtmcWire(config, instrument, options)
  await wire.open(signal)
  return wire
}

interface Taking {
  readonly resolve: () => void
  readonly reject: (error: Error) => void
}

class UsbtmcWire implements Transport {
  readonly #config: UsbtmcConfig
  readonly #instrument: UsbInstrument
  readonly #options: UsbtmcOptions
  readonly #dataListeners: ((bytes: Uint8Array) => void)[] = []
  readonly #endListeners: (() => void)[] = []
  readonly #closeListeners: ((reason: Error | undefined) => void)[] = []
  /** Of messages of which it is not known yet whether the instrument has taken them, in their order. */
  readonly #takings: Taking[] = []
  #helper: Helper | undefined
  #opened: Taking | undefined
  #gone: LabError | undefined
  #isClosing = false

  constructor(config: UsbtmcConfig, instrument: UsbInstrument, options: UsbtmcOptions) {
    this.#config = config
    this.#instrument = instrument
    this.#options = options
  }

  async open(signal: AbortSignal): Promise<void> {
    const opened = new Promise<void>((resolve, reject) => {
      this.#opened = { resolve, reject }
    })
    // It may be refused when nobody waits for it yet, or any more: what ended the opening is told then.
    opened.catch(() => {})
    const giveUp = () => this.#opened?.reject(signal.reason)
    signal.addEventListener('abort', giveUp, { once: true })
    try {
      this.#helper = await startHelper({
        path: this.#instrument.path,
        clock: this.#options.clock,
        onFrame: (kind, payload) => this.#hear(kind, payload),
        onEnd: (said) => this.#end(said),
      })
      signal.throwIfAborted()
      await opened
    } catch (error) {
      await this.close()
      throw error instanceof Opening ? await this.#cannotOpen(error) : error
    } finally {
      signal.removeEventListener('abort', giveUp)
      this.#opened = undefined
    }
  }

  async write(bytes: Uint8Array, answerMs = USUAL_MS): Promise<void> {
    const helper = this.#helper
    if (helper === undefined || this.#gone !== undefined || this.#isClosing) throw this.#gone ?? this.#lost('')
    await new Promise<void>((resolve, reject) => {
      this.#takings.push({ resolve, reject })
      helper.send(isQuestion(bytes) ? 'A' : 'T', answerMs, bytes)
    })
  }

  onData(listener: (bytes: Uint8Array) => void): void {
    this.#dataListeners.push(listener)
  }

  onMessageEnd(listener: () => void): void {
    this.#endListeners.push(listener)
  }

  onClose(listener: (reason: Error | undefined) => void): void {
    this.#closeListeners.push(listener)
  }

  async close(): Promise<void> {
    this.#isClosing = true
    await this.#helper?.stop()
  }

  #hear(kind: string, payload: Buffer): void {
    const text = () => payload.toString('utf8')
    if (kind === 'D') {
      for (const listener of this.#dataListeners) listener(payload)
    } else if (kind === 'E') {
      for (const listener of this.#endListeners) listener()
    } else if (kind === 'W') {
      this.#takings.shift()?.resolve()
    } else if (kind === 'O') {
      if (payload.length > 0) this.#note(text())
      this.#opened?.resolve()
    } else if (kind === 'U') {
      this.#takings.shift()?.reject(this.#untaken(text()))
    } else if (kind === 'S') {
      this.#note(text())
    } else if (kind === 'X') {
      const [code = '', ...words] = text().split(' ')
      if (this.#opened !== undefined) this.#opened.reject(new Opening(code, words.join(' ')))
      else this.#gone ??= this.#lost(` (${words.join(' ')})`)
    }
  }

  #end(said: string): void {
    const reason = this.#gone ?? this.#lost(said === '' ? '' : ` (${said.split('\n').at(-1)})`)
    this.#gone = reason
    this.#opened?.reject(reason)
    for (const taking of this.#takings.splice(0)) taking.reject(reason)
    for (const listener of this.#closeListeners) listener(this.#isClosing ? undefined : reason)
  }

  #note(text: string): void {
    this.#options.log.debug({ path: this.#instrument.path }, `a USB instrument: ${text}`)
  }

  #untaken(reason: string): LabError {
    return new LabError({
      code: 'instrument-silent',
      kind: 'instrument',
      retry: 'later',
      message: `the USB instrument with ${usbtmcText(this.#config)} is silent: ${reason}`,
      studentMessage: 'An instrument of this bench does not answer. What was measured until then is kept.',
    })
  }

  #lost(why: string): LabError {
    return new LabError({
      code: 'transport-closed',
      kind: 'link',
      retry: 'later',
      message: `the USB instrument with ${usbtmcText(this.#config)} is gone${why}`,
    })
  }

  async #cannotOpen({ code, message }: Opening): Promise<LabError> {
    return unreachable(this.#config, await reasonOf(this.#instrument.path, code, message))
  }
}

/** Why the device could not be opened, as the kernel has it. */
class Opening extends Error {
  override readonly name = 'Opening'
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.code = code
  }
}

async function reasonOf(path: string, code: string, message: string): Promise<string> {
  switch (code) {
    case 'EACCES':
    case 'EPERM':
      return await permission(path)
    case 'EAGAIN':
    case 'EBUSY':
      if (isEnding(path))
        return 'it was given up as silent, and the kernel still waits for it, for 5 s with each request; switch it off and on where that does not end'
      return `another instrument of node.yaml, or another program, has it; type: sudo fuser -v ${path}, to see which`
    case 'ENOTTY':
    case 'EBADRQC':
      return 'the kernel is older than Linux 4.20, whose driver usbtmc can not be used'
    default:
      return `${message}; check that it is switched on and plugged in`
  }
}

async function permission(path: string): Promise<string> {
  const { username } = userInfo()
  const group = await groupOf(path)
  const join = `sudo usermod -aG ${group} ${username}, then start the node anew`
  const device = await stat(path).catch(() => undefined)
  if (device !== undefined && device.gid !== 0)
    return `${username} may not use it: it must be in the group ${group}; type: ${join}`
  const rule = `SUBSYSTEM=="usbmisc", KERNEL=="usbtmc*", GROUP="${group}", MODE="0660"`
  const lines = `echo '${rule}' | sudo tee -a /etc/udev/rules.d/99-fernlab.rules; sudo udevadm control --reload; sudo udevadm trigger`
  return `${username} may not use it: it is root's alone; type: ${lines}; ${join}`
}
