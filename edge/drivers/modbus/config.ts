/** What node.yaml says of a Modbus instrument: its line, its unit, and which registers are which signals. */
import { transportConfigSchema } from '@fernlab/firmware-bridge/transports/transport'
import {
  identifierSchema,
  limitsSchema,
  numberSchemas,
  type SignalSpec,
  unitSchema,
} from '@fernlab/shared/capabilities/signals'
import type { Finding } from '@fernlab/shared/contracts/yaml-file'
import * as z from 'zod'
import { isBitTable, lengthOf } from './registers.ts'

const signalSchema = z.strictObject({
  title: z.string().describe('What people call it.').exactOptional(),
  unit: unitSchema.default('1').describe('In UCUM spelling: V, mA, Hz, Cel; without, a plain number.'),
  table: z
    .enum(['holding', 'input', 'coil', 'discrete'])
    .default('holding')
    .describe(
      'Holding registers (4xxxx in many manuals), input registers (3xxxx), coils (0xxxx), discrete inputs (1xxxx).',
    ),
  address: z
    .int()
    .min(0)
    .max(65_535)
    .describe('As it goes over the wire, from 0: what a manual calls 40001 is the holding register 0.'),
  type: z
    .enum(['int16', 'uint16', 'int32', 'uint32', 'float32', 'bit'])
    .default('uint16')
    .describe('How the value is written. Coils and discrete inputs are bits.'),
  bit: z.int().min(0).max(15).describe('Which bit of a register, 0 being the lowest.').exactOptional(),
  words: z
    .enum(['high-first', 'low-first'])
    .default('high-first')
    .describe('Which of two registers comes first. Default: high-first.'),
  scale: z
    .number()
    .refine((scale) => scale !== 0, 'must not be 0')
    .describe('The value is the number of the register times this: 0.1 where 235 means 23.5.')
    .exactOptional(),
  offset: z.number().describe('Added to that.').exactOptional(),
  writable: z.boolean().default(false).describe('Whether it may be set. Holding registers and coils.'),
  write: z
    .enum(['single', 'multiple'])
    .default('single')
    .describe('The function that sets one register or coil: 5 and 6, or 15 and 16. Two registers always go by 16.'),
  kind: z
    .enum(['reading', 'configuration'])
    .describe('Whether it is measured or is a setting. Default: a setting where it may be set.')
    .exactOptional(),
  limits: limitsSchema.describe('Values outside are never sent.').exactOptional(),
  ...numberSchemas,
})

export const modbusConfigSchema = z.strictObject({
  transport: transportConfigSchema.describe('The line. Instruments with the same line share it.'),
  framing: z
    .enum(['rtu', 'tcp'])
    .describe('Frames as on a serial line, or with the header of Modbus TCP. Default: tcp on a socket, rtu elsewhere.')
    .exactOptional(),
  unit: z.int().min(0).max(247).default(1).describe("The instrument's address on the line, 1 to 247. Default: 1."),
  timeoutMs: z
    .int()
    .min(10)
    .max(60_000)
    .default(500)
    .describe('How long an answer may take, in milliseconds. Default: 500.'),
  signals: z.record(identifierSchema, signalSchema).describe('The signals by name, and where they are.'),
})

export type ModbusConfig = z.infer<typeof modbusConfigSchema>
export type ModbusSignal = ModbusConfig['signals'][string]
export type Table = ModbusSignal['table']

/** What is wrong beyond the schema. */
export function modbusFindings({ unit, signals, framing, transport }: ModbusConfig): Finding[] {
  const findings: Finding[] = []
  const names = Object.keys(signals)
  if (names.length === 0) findings.push({ path: ['signals'], message: 'needs at least one' })
  if (framing === 'tcp' && transport.kind === 'serial') {
    findings.push({ path: ['framing'], message: 'a serial line has frames of rtu' })
  }
  if (unit === 0 && (framing ?? (transport.kind === 'tcp' ? 'tcp' : 'rtu')) === 'rtu') {
    findings.push({ path: ['unit'], message: 'is 1 to 247 on a line: 0 is all, and nobody answers' })
  }
  for (const [name, signal] of Object.entries(signals)) findings.push(...signalFindings(name, signal))
  return findings
}

function signalFindings(name: string, signal: ModbusSignal): Finding[] {
  const { table, type, bit, writable, address } = signal
  const at = (key: string, message: string): Finding => ({ path: ['signals', name, key], message })
  const findings: Finding[] = []
  if (isBitTable(table) && type !== 'bit') findings.push(at('type', `must be bit: a ${table} is one`))
  if (isBitTable(table) && bit !== undefined) findings.push(at('bit', `is for registers: a ${table} is one bit`))
  if (!isBitTable(table) && type === 'bit' && bit === undefined)
    findings.push(at('type', 'needs to know which bit: bit'))
  if (!isBitTable(table) && type !== 'bit' && bit !== undefined) findings.push(at('bit', 'is for type: bit'))
  if (writable && (table === 'input' || table === 'discrete')) findings.push(at('writable', `a ${table} cannot be set`))
  if (writable && bit !== undefined) findings.push(at('writable', 'a bit of a register cannot be set by itself'))
  if (address + lengthOf(signal) > 65_536) findings.push(at('address', 'leaves no room for its second register'))
  if (type === 'bit' && (signal.scale !== undefined || signal.offset !== undefined)) {
    findings.push(at(signal.scale === undefined ? 'offset' : 'scale', 'is for numbers'))
  }
  return findings
}

/** The signals as the node announces them. */
export function modbusSpecs({ signals }: Pick<ModbusConfig, 'signals'>): SignalSpec[] {
  return Object.entries(signals).map(([name, signal]): SignalSpec => {
    const { title, unit, type, writable, kind, limits, precision, settlingS, readS, setS, maxRateHz, uncertainty } =
      signal
    return {
      name,
      ...(title === undefined ? {} : { title }),
      unit,
      dtype: type === 'bit' ? 'boolean' : 'number',
      shape: [],
      kind: kind ?? (writable ? 'configuration' : 'reading'),
      access: writable ? 'read-set' : 'read',
      ...(limits === undefined ? {} : { limits }),
      ...(precision === undefined ? {} : { precision }),
      ...(signal.resolution === undefined ? {} : { resolution: signal.resolution }),
      ...(signal.minSetIntervalS === undefined ? {} : { minSetIntervalS: signal.minSetIntervalS }),
      ...(settlingS === undefined ? {} : { settlingS }),
      ...(readS === undefined ? {} : { readS }),
      ...(setS === undefined ? {} : { setS }),
      ...(maxRateHz === undefined ? {} : { maxRateHz }),
      ...(uncertainty === undefined ? {} : { uncertainty }),
    }
  })
}
