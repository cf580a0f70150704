import { LineSession } from '@fernlab/firmware-bridge/lines/session'
import type { Transport } from '@fernlab/firmware-bridge/transports/transport'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { DriverContext } from '../driver.ts'

export interface LineSessionChoices {
  readonly context: DriverContext
  /** Opens the wire. */
  readonly open: (signal: AbortSignal) => Promise<Transport>
  /** Ends each line, both ways. Default: LF. */
  readonly terminator?: string
  /** How long an answer may take. Default: 1000. */
  readonly timeoutMs?: number
  /** What is asked to see that the right instrument is there and in step; `parse` throws for another's answer. */
  readonly hello?: { readonly message: string; readonly parse: (text: string) => string }
}

const BACK_OFF_MS = { first: 250, longest: 15_000 }
const QUIET_MS = 50

/** An instrument that answers lines, which reconnects by itself: what most drivers stand on. */
export function lineSession(choices: LineSessionChoices): LineSession {
  const { context, open, terminator = '\n', timeoutMs = 1000, hello } = choices
  const { name, clock, log } = context
  return new LineSession({
    instrument: name,
    // The driver opens its wire itself: where it is, is its own to know.
    transport: { kind: 'emulated', world: 'own', device: name },
    openTransport: (_, signal) => open(signal),
    clock,
    log,
    terminator,
    end: terminator.endsWith('\n') ? '\n' : terminator,
    echoes: false,
    timeoutMs,
    quietMs: QUIET_MS,
    gapMs: 0,
    startMs: 0,
    backOffMs: BACK_OFF_MS,
    hello,
    unexpected: (text) =>
      new LabError({
        code: 'instrument-unexpected',
        kind: 'configuration',
        message: `${name} is another instrument: it says ${JSON.stringify(text.slice(0, 120))}`,
      }),
    initialise: async () => {},
  })
}
