import { FirmwareLink } from '@fernlab/firmware-bridge/link/firmware-link'
import type { Transport, TransportConfig } from '@fernlab/firmware-bridge/transports/transport'
import { systemClock } from '@fernlab/shared/primitives/clock'
import { withDeadline } from '@fernlab/shared/primitives/deadline'
import { LabError } from '@fernlab/shared/primitives/lab-error'

/** With a boot loader that waits for two seconds after the port was opened. */
const GREETING_MS = 6000

/**
 * What a board with fernlab-link says that it is and can do, as the file that `description` of node.yaml names; rejects
 * with `board-silent`. The transport is closed however it ends.
 */
export async function descriptionText(
  transport: Transport,
  { place, config, signal }: { readonly place: string; readonly config: TransportConfig; readonly signal: AbortSignal },
): Promise<string> {
  const speed = config.kind === 'serial' ? { bytesPerS: config.baudRate / 10 } : {}
  const link = new FirmwareLink({ board: place, transport, clock: systemClock, ...speed })
  try {
    const description = await withDeadline(
      systemClock,
      GREETING_MS,
      signal,
      () => silent(place),
      async (within) => {
        await link.connect(within)
        return await link.describe(within)
      },
    )
    return JSON.stringify(description, undefined, 2)
  } finally {
    await link.close()
  }
}

function silent(place: string): LabError {
  return new LabError({
    code: 'board-silent',
    kind: 'link',
    retry: 'later',
    message: `nothing at ${place} greeted within ${GREETING_MS / 1000} s; check that the firmware has the library fernlab-link, and --baud`,
  })
}
