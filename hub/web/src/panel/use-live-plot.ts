import { useMantineColorScheme } from '@mantine/core'
import { type RefObject, useEffect, useRef, useState } from 'react'
import uPlot from 'uplot'
import { marked } from '../words/quantity.ts'
import { useWords } from '../words/use-words.ts'
import { type LivePlotSpec, livePlotOptions } from './live-plot.ts'
import { usePanel } from './panel-context.tsx'

/** Draws into the frame whenever something was read; `data` is asked for what is to be drawn now. */
export function useLivePlot(
  frame: RefObject<HTMLDivElement | null>,
  spec: LivePlotSpec,
  data: () => uPlot.AlignedData,
) {
  const { t } = useWords()
  const { store } = usePanel()
  const { colorScheme } = useMantineColorScheme()
  const [{ width, height }, setSize] = useState({ width: 0, height: 0 })
  const latest = useRef({ spec, data })
  latest.current = { spec, data }
  const shape = JSON.stringify(spec)

  useEffect(() => {
    const element = frame.current
    if (element === null) return
    const observer = new ResizeObserver(([entry]) => {
      const { width = 0, height = 0 } = entry?.contentRect ?? {}
      setSize({ width: Math.floor(width), height: Math.floor(height) })
    })
    observer.observe(element)
    return () => observer.disconnect()
  }, [frame])

  // biome-ignore lint/correctness/useExhaustiveDependencies: `shape` and the scheme say when a new drawing is needed
  useEffect(() => {
    const element = frame.current
    if (element === null || width === 0 || height === 0) return
    const computed = getComputedStyle(element)
    const colour = (name: string) => computed.getPropertyValue(name).trim()
    const plot = new uPlot(
      livePlotOptions(latest.current.spec, { width, height, colour, marked: (text) => marked(text, t) }),
      latest.current.data(),
      element,
    )
    const stop = store.subscribe(() => plot.setData(latest.current.data()))
    return () => {
      stop()
      plot.destroy()
    }
  }, [shape, width, height, colorScheme, store, t])
}
