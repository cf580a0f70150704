import type { InstrumentSpec } from '@fernlab/shared/capabilities/signals'
import type { LabDetail } from '@fernlab/shared/contracts/api'
import type { Protocol } from '@fernlab/shared/protocol/protocol'
import { useEffect, useState } from 'react'
import { count } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import type { LabProtocol, Scalar } from './parameters.ts'

interface Size {
  readonly seconds: number
  readonly points: number
  readonly exact: boolean
}

/** "30 points, about 25 s", renewed while a person types; undefined values mean that the form has an error. */
export function useEstimate(
  lab: LabDetail,
  protocol: LabProtocol,
  values: Readonly<Record<string, Scalar>> | undefined,
): string {
  const { t, duration, language } = useWords()
  const [size, setSize] = useState<Size | undefined>(protocol.estimate)
  const key = values === undefined ? undefined : JSON.stringify(values)
  useEffect(() => {
    if (key === undefined || protocol.definition === undefined) return
    let wanted = true
    const timer = setTimeout(() => {
      void import('@fernlab/shared/protocol/estimate').then(({ estimate }) => {
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
  const time = duration(size.seconds)
  if (size.points === 0) return t(size.exact ? 'lab.estimateTime' : 'lab.estimateTimeUpTo', { time })
  const points = t('lab.points', { count: size.points, points: count(size.points, language) })
  return t(size.exact ? 'lab.estimate' : 'lab.estimateUpTo', { points, time })
}

function sizeOf(estimated: Size & { readonly rows: Readonly<Record<string, number>> }): Size {
  const rows = Object.values(estimated.rows).reduce((sum, one) => sum + one, 0)
  return { ...estimated, points: Math.max(rows, estimated.points) }
}
