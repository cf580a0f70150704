/**
 * Pins through the character device, by the tools of gpiod: a gpioset holds each output, a gpiomon each input.
 *
 * INVARIANTS: what is written to an output goes in order; a tool that ends by itself is a line that is lost. An output is
 * let go of for some milliseconds while it changes its level, for Debian's gpioset can not change what it holds.
 */
import { execFile } from 'node:child_process'
import type { Clock } from '@fernlab/shared/primitives/clock'
import { asLabError, type LabError } from '@fernlab/shared/primitives/lab-error'
import { inheritedEnv } from '../../child-group.ts'
import { gpioError, lineHeld, lineMissing, notPermitted, systemCode } from '../gpio-errors.ts'
import type {
  Backend,
  Chip,
  ChipRequest,
  EdgesLine,
  EdgesOptions,
  InputLine,
  InputOptions,
  OutputLine,
} from './backend.ts'
import { chooseChip } from './find-chip.ts'
import { chipsIn, type DetectedChip, type Dialect, dialectOf, holderIn } from './gpiod-dialects.ts'
import { type HeldTool, holdTool, toolFailed } from './held-tool.ts'

const TOOL_MS = 5000
const TAKE_MS = 2000
const LOOK_MS = 2

export function gpiodBackend({ clock }: { readonly clock: Clock }): Backend {
  return {
    open: async ({ labels, onLost }: ChipRequest, signal) => {
      const versionText = await run(['gpiodetect', '--version'], signal)
      const dialect = dialectOf(versionText)
      if (dialect === undefined) {
        throw gpioError(
          'gpiod-unknown',
          `these tools of gpiod are neither version 1 nor 2: ${versionText.split('\n')[0]}`,
        )
      }
      const chip = chooseChip(chipsIn(await run(['gpiodetect'], signal)), labels)
      return new GpiodChip({ chip, dialect, clock, onLost, version: versionText.split('\n')[0] ?? '' })
    },
  }
}

interface GpiodChipOptions {
  readonly chip: DetectedChip
  readonly dialect: Dialect
  readonly version: string
  readonly clock: Clock
  readonly onLost: (reason: LabError) => void
}

class GpiodChip implements Chip {
  readonly about: string
  /** A write takes a process. */
  readonly softwarePwmHz = undefined
  readonly #options: GpiodChipOptions

  constructor(options: GpiodChipOptions) {
    const { chip, version } = options
    this.about = `${chip.label} (${chip.lineCount} lines, ${chip.name}) by the tools of ${version.replace(/^\S+ \((.*)\)/, '$1')}`
    this.#options = options
  }

  async pwm(): Promise<undefined> {
    return undefined
  }

  async output(line: number, level: boolean): Promise<OutputLine> {
    let has = level
    let held: HeldTool | undefined
    let closed: Promise<void> | undefined
    let last: Promise<unknown> = Promise.resolve()
    const put = async (to: boolean) => {
      if (to === has && held !== undefined) return
      const { dialect, chip, onLost } = this.#options
      const before = held
      held = undefined
      await before?.stop()
      try {
        held = await this.#take(line, dialect.hold(chip.name, line, to), () => {})
      } catch (thrown) {
        // Nobody drives the line now, and no tool is there whose end would tell.
        if (before !== undefined && closed === undefined) onLost(asLabError(thrown))
        throw thrown
      }
      has = to
    }
    const inTurn = (work: () => Promise<void>) => {
      const done = last.then(work)
      last = done.catch(() => {})
      return done
    }
    await put(level)
    return {
      write: (to) => inTurn(() => put(to)),
      read: async () => has,
      close: (to) => {
        closed ??= inTurn(async () => {
          try {
            await put(to)
          } finally {
            await held?.stop()
            held = undefined
          }
        })
        return closed
      },
    }
  }

  async input(line: number, { pull, onEdge }: InputOptions): Promise<InputLine> {
    const { chip, dialect } = this.#options
    this.#check(line)
    await this.#checkFree(line)
    // A gpiomon does not say how its line stands: a change before it has it is seen with the next one.
    let level = (await run(dialect.get(chip.name, line, pull))).trim() === '1'
    const held = await this.edges(line, {
      pull,
      edges: 'both',
      onEdge: (edge) => {
        level = edge.level
        onEdge(edge)
      },
    })
    return { read: async () => level, close: () => held.close() }
  }

  async edges(line: number, { pull, edges, onEdge }: EdgesOptions): Promise<EdgesLine> {
    const { chip, dialect, clock } = this.#options
    const held = await this.#take(line, dialect.watch(chip.name, line, edges, pull), (text) => {
      const event = dialect.event(text)
      if (event !== undefined) onEdge({ level: event.level, timeMs: epochMs(event.timeMs, clock) })
    })
    return { close: () => held.stop() }
  }

  #check(line: number): void {
    const { chip } = this.#options
    if (line >= chip.lineCount) throw lineMissing(line, chip.label, chip.lineCount)
  }

  async #checkFree(line: number): Promise<void> {
    const { chip } = this.#options
    const holder = await this.#holder(line)
    if (holder !== undefined) throw lineHeld(line, chip.label, holder)
  }

  async #holder(line: number): Promise<string | undefined> {
    const { chip, dialect } = this.#options
    return holderIn(await run(dialect.info(chip.name)), line)
  }

  /** Starts the tool; resolves once it has the line. */
  async #take(line: number, command: readonly string[], onText: (text: string) => void): Promise<HeldTool> {
    const { dialect, chip, onLost, clock } = this.#options
    this.#check(line)
    await this.#checkFree(line)
    let has = false
    let announce = () => {}
    const announced = new Promise<void>((resolve) => {
      announce = resolve
    })
    const held = holdTool({
      command,
      onLine: (text) => {
        announce()
        onText(text)
      },
      onEnd: (reason) => {
        if (has) onLost(reason)
      },
    })
    const endMs = clock.monotonic() + TAKE_MS
    try {
      for (;;) {
        held.ended.throwIfAborted()
        if (dialect.announces) await Promise.race([announced, aborted(held.ended)])
        if (dialect.announces || (await this.#holder(line)) !== undefined) break
        if (clock.monotonic() > endMs)
          throw toolFailed(command[0] ?? '', `it did not take line ${line} of ${chip.label}`)
        await clock.sleep(LOOK_MS, held.ended)
      }
      held.ended.throwIfAborted()
    } catch (thrown) {
      await held.stop()
      throw thrown
    }
    has = true
    return held
  }
}

/** Never resolves; rejects with the reason once the signal aborts. */
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason)
    signal.addEventListener('abort', () => reject(signal.reason), { once: true })
  })

/** Later than any time since boot, earlier than any since 1970. */
const SINCE_1970_MS = 1e12

/** The kernel's time of an edge as epoch ms; it counts from boot, but for kernels before 5.7. */
function epochMs(eventMs: number, clock: Clock): number {
  if (eventMs > SINCE_1970_MS) return eventMs
  return clock.now() - (Number(process.hrtime.bigint()) / 1e6 - eventMs)
}

/** What the tool writes; rejects with `gpiod-missing`, `gpio-not-permitted` or `gpio-tool-failed`. */
function run(command: readonly string[], signal?: AbortSignal): Promise<string> {
  const [tool = '', ...args] = command
  const options = { timeout: TOOL_MS, env: inheritedEnv(), ...(signal === undefined ? {} : { signal }) }
  return new Promise((resolve, reject) => {
    execFile(tool, args, options, (error, stdout, stderr) => {
      if (signal?.aborted) return reject(signal.reason)
      const said = stderr.trim()
      if (error === null && !DENIED.test(said)) return resolve(stdout)
      if (error !== null && systemCode(error) === 'ENOENT') {
        return reject(gpioError('gpiod-missing', 'the tools of gpiod are not installed: sudo apt install gpiod', error))
      }
      if (DENIED.test(said))
        return reject(notPermitted(/\/dev\/gpiochip\d+/.exec(said)?.[0] ?? '/dev/gpiochip*', error))
      reject(toolFailed(tool, said === '' ? (error?.message ?? '') : said))
    })
  })
}

const DENIED = /permission denied/i
