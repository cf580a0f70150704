import type { Range } from '@fernlab/shared/calibration/curve'
import type { Curve } from '@fernlab/shared/contracts/calibrations'
import type { DataKey, DescriptorDoc } from '@fernlab/shared/contracts/documents'

/** A column of a stream under the name that it has at the API. */
export interface StreamColumn {
  /** Event-model key: `supply_voltage`. The event model has no place for dots in some keys, so none has any. */
  readonly key: string
  /** Key in the node's documents: `supply.voltage`, a variable, a derived name. */
  readonly source: string
  readonly dataKey: DataKey
  /** By what its values came of raw ones, where those are wanted. */
  readonly calibration?: ColumnCalibration
}

export interface ColumnCalibration {
  readonly curve: Curve
  readonly limits: Range
}

/** The columns of a stream in the order of its descriptor; two that would share a key are told apart by a number. */
export function streamColumns(descriptor: Pick<DescriptorDoc, 'dataKeys'>): StreamColumn[] {
  const taken = new Set<string>()
  return Object.entries(descriptor.dataKeys).map(([source, dataKey]) => {
    const wanted = source.replaceAll(/[./]/g, '_')
    let key = wanted
    for (let n = 2; taken.has(key); n++) key = `${wanted}_${n}`
    taken.add(key)
    return { key, source, dataKey }
  })
}

/** The part of a column's text that names its unit: ` [V]`; empty for a plain number. */
export function unitSuffix({ unit }: Pick<DataKey, 'unit'>): string {
  return unit === '1' || unit === '' ? '' : ` [${unit}]`
}
