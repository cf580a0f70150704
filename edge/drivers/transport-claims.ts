import { messageTransportConfigSchema, type TransportConfig } from '@fernlab/firmware-bridge/transports/transport'
import { usbtmcKey, usbtmcText } from '@fernlab/firmware-bridge/transports/usbtmc/config'
import type { Path } from '@fernlab/shared/contracts/yaml-file'
import type { Claim } from './driver.ts'

/** What a transport (`path` in the config) has to itself, a serial port or a USB instrument; nothing of others, which may take several connections. */
export function transportClaims(transport: TransportConfig, path: Path): Claim[] {
  switch (transport.kind) {
    case 'serial':
      return [{ key: `serial:${transport.path}`, what: `the port ${transport.path}`, path: [...path, 'path'] }]
    case 'usbtmc':
      return [{ key: usbtmcKey(transport), what: `the USB instrument with ${usbtmcText(transport)}`, path }]
    case 'tcp':
    case 'emulated':
      return []
  }
}

/** What free settings have to themselves, wherever in them a transport is written as node.yaml has it. */
export function settingsClaims(settings: unknown, path: Path): Claim[] {
  if (typeof settings !== 'object' || settings === null) return []
  const { data } = messageTransportConfigSchema.safeParse(settings)
  if (data !== undefined) return transportClaims(data, path)
  return Object.entries(settings).flatMap(([key, value]) =>
    settingsClaims(value, [...path, Array.isArray(settings) ? Number(key) : key]),
  )
}
