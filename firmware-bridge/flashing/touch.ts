/** A USB port that is opened at 1200 baud and closed: boards of Arduino's kind start their boot loaders then. */
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { OpenTransport, TransportConfig } from '../transports/transport.ts'
import { atSpeed } from './flasher.ts'

const TOUCH_BAUD = 1200

/** Resolves when the port is closed again; the board takes it off the bus in the next half second. */
export async function touch(
  transport: TransportConfig,
  openTransport: OpenTransport,
  signal: AbortSignal,
): Promise<void> {
  const port = await openTransport(atSpeed(transport, TOUCH_BAUD), signal)
  try {
    if (transport.kind !== 'serial') await port.setBaudRate?.(TOUCH_BAUD)
    // What tells the firmware is that nobody holds DTR any more at that speed.
    await port.setLines?.({ dtr: false })
  } catch (thrown) {
    if (!(thrown instanceof LabError)) throw thrown
    // A board that has left the bus at once takes the port with it; so does a line without modem lines.
    if (thrown.code !== 'transport-closed' && thrown.code !== 'modem-lines-refused') throw thrown
  } finally {
    await port.close()
  }
}
