/** The driver `modbus`: units on Modbus lines; see README.md. */
import { type ModbusFraming, ModbusLine } from '@fernlab/firmware-bridge/modbus/line'
import type { OpenTransport, TransportConfig } from '@fernlab/firmware-bridge/transports/transport'
import type { Clock } from '@fernlab/shared/primitives/clock'
import type { Driver } from '../driver.ts'
import { driverOf } from '../driver-of.ts'
import { transportClaims } from '../transport-claims.ts'
import { type ModbusConfig, modbusConfigSchema, modbusFindings, modbusSpecs } from './config.ts'
import { ModbusInstrument } from './modbus-instrument.ts'

/** The driver for node.yaml's `driver: modbus`; instruments that it makes share the lines that they name alike. */
export function createModbusDriver(): Driver {
  const lines = new Lines()
  return driverOf({
    kind: 'modbus',
    schema: modbusConfigSchema,
    findings: modbusFindings,
    claims: claimsOf,
    create: async (config, { name, clock, log, openTransport }) =>
      new ModbusInstrument({
        spec: { name, driver: 'modbus', signals: modbusSpecs(config), actions: [] },
        config,
        line: lines.line(config, openTransport, clock),
        clock,
        log,
      }),
  })
}

/** The port is shared by who has the same settings for it, and each unit is one instrument's. */
function claimsOf({ transport, unit }: ModbusConfig) {
  if (transport.kind !== 'serial') return []
  const { baudRate, dataBits, parity, stopBits, flowControl } = transport
  const [port] = transportClaims(transport, ['transport'])
  if (port === undefined) return []
  return [
    { ...port, sharedAs: `modbus ${baudRate} ${dataBits} ${parity} ${stopBits} ${flowControl}` },
    { key: `modbus:${transport.path}:${unit}`, what: `unit ${unit} on ${transport.path}`, path: ['unit'] },
  ]
}

const framingOf = ({ framing, transport }: ModbusConfig): ModbusFraming =>
  framing ?? (transport.kind === 'tcp' ? 'tcp' : 'rtu')

class Lines {
  readonly #lines = new WeakMap<OpenTransport, Map<string, ModbusLine>>()

  line(config: ModbusConfig, openTransport: OpenTransport, clock: Clock): ModbusLine {
    const framing = framingOf(config)
    const { transport } = config
    const known = this.#lines.get(openTransport) ?? new Map<string, ModbusLine>()
    this.#lines.set(openTransport, known)
    const key = keyOf(transport, framing)
    const line = known.get(key) ?? new ModbusLine({ transport, framing, openTransport, clock })
    known.set(key, line)
    return line
  }
}

const keyOf = (transport: TransportConfig, framing: ModbusFraming): string => JSON.stringify([framing, transport])
