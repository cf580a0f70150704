/** What a Modbus request that failed says to people. */
import { asLabError, LabError } from '@fernlab/shared/primitives/lab-error'

interface Asked {
  readonly instrument: string
  readonly unit: number
  readonly what: string
}

/** Exception codes (Modbus Application Protocol V1.1b3, section 7): the stable code, and what to do. */
const EXCEPTIONS: Readonly<Record<number, { readonly code: string; readonly says: string }>> = {
  1: { code: 'instrument-refused', says: 'it lacks that function; check table and write in node.yaml' },
  2: { code: 'instrument-refused', says: 'it has no such address; check table and address in node.yaml' },
  3: { code: 'instrument-refused', says: 'it does not take that value' },
  4: { code: 'instrument-failed', says: 'it failed while doing it' },
  5: { code: 'instrument-busy', says: 'it has begun, and needs longer' },
  6: { code: 'instrument-busy', says: 'it is busy with something longer; ask again' },
  8: { code: 'instrument-failed', says: 'its memory has a parity error' },
  10: { code: 'instrument-failed', says: 'the gateway has no way to it; check the gateway' },
  11: { code: 'instrument-failed', says: 'it does not answer the gateway; check its unit, its wires and its power' },
}

/** The error of the library, or of the line, as one that names instrument, unit and request. */
export function requestError(error: unknown, { instrument, unit, what }: Asked): LabError {
  const exception = (error as { readonly modbusCode?: number }).modbusCode
  const details = { instrument, unit, command: what }
  if (exception !== undefined) {
    const { code, says } = EXCEPTIONS[exception] ?? { code: 'instrument-refused', says: 'for a reason of its own' }
    return new LabError({
      code,
      kind: 'instrument',
      ...(code === 'instrument-refused' ? {} : { retry: 'later' as const }),
      message: `${instrument} (unit ${unit}) refused ${what}: ${says} (exception ${exception})`,
      studentMessage: 'An instrument refused what was asked of it. The staff can see why in the log.',
      details: { ...details, exception },
      cause: error,
    })
  }
  const known = asLabError(error)
  if (known.kind === 'instrument') return known
  if (known.kind === 'link') {
    return new LabError({
      code: 'instrument-disconnected',
      kind: 'link',
      retry: 'later',
      message: `the line to ${instrument} was lost before ${what}: ${known.message}`,
      studentMessage: 'An instrument of this bench has lost its connection. What was measured until then is kept.',
      details,
      cause: error,
    })
  }
  return new LabError({
    code: 'reply-garbled',
    kind: 'instrument',
    retry: 'later',
    message: `${instrument} (unit ${unit}) garbled its reply to ${what}: ${error instanceof Error ? error.message : String(error)}; check baud rate, parity, termination and that no two units share an address`,
    studentMessage: 'An instrument gave an answer that makes no sense. What was measured until then is kept.',
    details,
    cause: error,
  })
}
