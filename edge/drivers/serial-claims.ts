import type { TransportConfig } from '@fernlab/firmware-bridge/transports/transport'
import type { Path } from '@fernlab/shared/contracts/yaml-file'
import type { Claim } from './driver.ts'

/** The serial port of a transport that is one; nothing of others, which may take several connections. */
export function serialClaims(transport: TransportConfig, path: Path): Claim[] {
  if (transport.kind !== 'serial') return []
  return [{ key: `serial:${transport.path}`, what: `the port ${transport.path}`, path }]
}
