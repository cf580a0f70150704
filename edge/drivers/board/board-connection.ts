/** One connection to a board that was greeted and is what the node takes it for. */
import type { BoardDescription } from '@fernlab/firmware-bridge/link/description'
import { FirmwareLink } from '@fernlab/firmware-bridge/link/firmware-link'
import type { Firmware } from '@fernlab/firmware-bridge/link/messages'
import type { TransportConfig } from '@fernlab/firmware-bridge/transports/transport'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { DriverContext } from '../driver.ts'
import { type KnownBoard, requireSame } from './description-file.ts'
import type { ResetWatch } from './reset-watch.ts'

/** With a boot loader that waits for two seconds after the port was opened. */
const GREETING_MS = 6000

type Context = Pick<DriverContext, 'name' | 'clock' | 'openTransport'>

export interface BoardConnection {
  readonly link: FirmwareLink
  readonly firmware: Firmware
  onClose(listener: (reason: LabError | undefined) => void): void
  close(): Promise<void>
}

/** Asks a board what it is, and lets go of it. */
export async function askBoard(transport: TransportConfig, context: Context): Promise<BoardDescription> {
  return await withDeadline(
    context.clock,
    GREETING_MS,
    undefined,
    () => silent(context.name),
    async (signal) => {
      const link = await openLink(transport, context, signal)
      try {
        await link.connect(signal)
        return await link.describe(signal)
      } finally {
        await link.close()
      }
    },
  )
}

/** Connects; rejects when the board is another than `known`, and while it starts anew again and again. */
export async function connectBoard(
  transport: TransportConfig,
  context: Context,
  { known, resets }: { readonly known: KnownBoard; readonly resets: ResetWatch },
  signal: AbortSignal,
): Promise<BoardConnection> {
  const { name, clock } = context
  const link = await openLink(transport, context, signal)
  let ended: { readonly reason: LabError | undefined } | undefined
  const listeners: ((reason: LabError | undefined) => void)[] = []
  const unrest = new AbortController()
  const end = (reason: LabError | undefined) => {
    if (ended !== undefined) return
    ended = { reason }
    unrest.abort(reason)
    for (const listener of listeners) listener(reason)
  }
  link.onEnd(end)
  link.onReset((introduction) => {
    resets.saw(clock.monotonic(), introduction?.boots)
    end(startedAnew(name, resets.reason(clock.monotonic()) ?? 'it has started anew'))
  })
  try {
    const { firmware, boots } = await withDeadline(
      clock,
      GREETING_MS,
      signal,
      () => silent(name),
      (within) => link.connect(within),
    )
    resets.connected(clock.monotonic(), boots)
    requireSame(name, known, await link.describe(signal))
    const quietMs = resets.quietMs(clock.monotonic())
    if (quietMs > 0) await clock.sleep(quietMs, AbortSignal.any([signal, unrest.signal]))
    return {
      link,
      firmware,
      onClose: (listener) => {
        if (ended === undefined) listeners.push(listener)
        else listener(ended.reason)
      },
      close: () => link.close(),
    }
  } catch (thrown) {
    await link.close()
    throw thrown
  }
}

async function openLink(config: TransportConfig, { name, clock, openTransport }: Context, signal: AbortSignal) {
  const transport = await openTransport(config, signal)
  const speed = config.kind === 'serial' ? { bytesPerS: config.baudRate / 10 } : {}
  return new FirmwareLink({ board: name, transport, clock, ...speed })
}

function silent(name: string): LabError {
  return new LabError({
    code: 'board-silent',
    kind: 'link',
    retry: 'later',
    message: `${name} did not greet within ${GREETING_MS / 1000} s; check that its firmware has the library fernlab-link, and the speed of the line`,
  })
}

function startedAnew(name: string, how: string): LabError {
  return new LabError({ code: 'board-reset', kind: 'link', retry: 'later', message: `${name}: ${how}` })
}
