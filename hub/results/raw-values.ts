/** Raw values of a run, of its calibrated ones and the calibrations in its configuration. Pure. */
import { type Inverse, inverseOf } from '@fernlab/shared/calibration/inverse'
import type { DescriptorDoc, EventPageDoc } from '@fernlab/shared/contracts/documents'
import { LabError } from '@fernlab/shared/primitives/lab-error'
import type { Converter, ConverterSpec } from './converters.ts'
import type { StreamColumn } from './keys.ts'

/**
 * The columns with what undoes the calibration of those that had one; throws `calibration-not-invertible` where one value
 * may have come of two raw ones.
 */
export function withCalibrations(
  columns: readonly StreamColumn[],
  { configuration }: Pick<DescriptorDoc, 'configuration'>,
): StreamColumn[] {
  return columns.map((column) => {
    const [instrument = '', signal = ''] = column.dataKey.source.split('.')
    const { calibrations = {}, rawLimits = {} } = own(configuration, instrument) ?? {}
    const curve = own(calibrations, signal)?.curve ?? null
    if (curve === null) return column
    const { low = -Infinity, high = Infinity } = own(rawLimits, signal) ?? {}
    const limits = { low, high }
    if (inverseOf(curve, limits) === undefined) throw notInvertible(column, curve.form)
    return { ...column, calibration: { curve, limits } }
  })
}

/** Lets the converter have raw values, of those columns that the spec is of. */
export function rawFirst(spec: ConverterSpec, converter: Converter): Converter {
  const wanted = neededBy(spec)
  const inverses = spec.columns.flatMap(({ source, calibration }): [string, Inverse][] => {
    const inverse = calibration === undefined ? undefined : inverseOf(calibration.curve, calibration.limits)
    return inverse !== undefined && wanted(source) ? [[source, inverse]] : []
  })
  if (inverses.length === 0) return converter
  return { ...converter, page: (page) => converter.page(rawPage(page, inverses)) }
}

function rawPage(page: EventPageDoc, inverses: readonly (readonly [string, Inverse])[]): EventPageDoc {
  const columns = { ...page.columns }
  for (const [source, inverse] of inverses) {
    const column = columns[source]
    if (column instanceof Float64Array) columns[source] = column.map(inverse)
  }
  return { ...page, columns }
}

/** Of some forms one column is made at a time. */
function neededBy(spec: ConverterSpec): (source: string) => boolean {
  if (spec.format === 'json-column') return (source) => source === spec.source
  if (spec.format === 'hdf5-column' && spec.reduce === undefined) return (source) => source === spec.column?.source
  return () => true
}

function notInvertible({ key, source }: StreamColumn, form: string): LabError {
  const message = `${source} has no raw values any more: the ${form} by which it was calibrated does not rise or fall all the way over what the signal can be, so that a value may have come of two raw ones; leave the column out`
  return new LabError({
    code: 'calibration-not-invertible',
    kind: 'caller',
    message,
    issues: [{ path: 'query.values', message: `${key} can not be undone` }],
  })
}

function own<T>(of: Readonly<Record<string, T>>, name: string): T | undefined {
  return Object.hasOwn(of, name) ? of[name] : undefined
}
