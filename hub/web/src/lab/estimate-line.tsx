import type { InstrumentSpec, Scalar } from '@fernlab/shared/capabilities/signals'
import type { LabDetail } from '@fernlab/shared/contracts/api'
import type { RunSize } from '@fernlab/shared/protocol/estimate'
import type { Protocol } from '@fernlab/shared/protocol/protocol'
import { useEffect, useState } from 'react'
import { count } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import type { LabProtocol } from './parameters.ts'

/**
 * "30 points, about 25 s" or "101 to 139 points, 5 to 13 s", renewed while a person types; undefined values mean that
 * the form has an error.
 */
export function useEstimate(
  lab: LabDetail,
  protocol: LabProtocol,
  values: Readonly<Record<string, Scalar>> | undefined,
): string {
  const words = useWords()
  const { t, language } = words
  const [size, setSize] = useState<RunSize | undefined>(protocol.estimate)
  const key = values === undefined ? undefined : JSON.stringify(values)
  useEffect(() => {
    if (key === undefined || protocol.definition === undefined) return
    let wanted = true
    const timer = setTimeout(() => {
      void import('@fernlab/shared/protocol/estimate').then(({ estimate, sizeOf }) => {
        if (!wanted) return
        const parts = lab.parts as Readonly<Record<string, InstrumentSpec>>
        setSize(sizeOf(estimate(protocol.definition as Protocol, JSON.parse(key), { parts })))
      })
    }, 80)
    return () => {
      wanted = false
      clearTimeout(timer)
    }
  }, [key, lab.parts, protocol.definition])
  if (size === undefined) return ''
  const { seconds, points, least } = size
  const time = words.range(least.seconds, seconds)
  if (points === 0) return time
  const low = count(least.points, language)
  const high = count(points, language)
  const what = low === high ? 'lab.points' : 'lab.pointsRange'
  return `${t(what, { count: points, points: high, low })}, ${time}`
}
