import type { StopDoc } from '@fernlab/shared/contracts/documents'
import type { LabError } from '@fernlab/shared/primitives/lab-error'

/** The form of an error in a stop document. */
export function errorJson(error: LabError): NonNullable<StopDoc['error']> {
  const { issues, details, ...rest } = error.toJSON()
  return {
    ...rest,
    ...(issues === undefined ? {} : { issues: issues.map((issue) => ({ ...issue })) }),
    ...(details === undefined ? {} : { details: { ...details } }),
  }
}
