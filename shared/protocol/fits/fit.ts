import type { FitModel } from '../protocol.ts'
import { exponentialFit } from './exponential.ts'
import type { Breathing, FitResult, Points } from './least-squares.ts'
import { linearFit } from './linear.ts'
import { sineFit } from './sine.ts'

/** Fits a model by least squares; the points need not be in order. */
export function* fit(model: FitModel, points: Points): Breathing<FitResult> {
  const ordered = inOrder(points)
  switch (model) {
    case 'linear':
      return linearFit(ordered)
    case 'exponential':
      return yield* exponentialFit(ordered)
    case 'sine':
      return yield* sineFit(ordered)
  }
}

function inOrder(points: Points): Points {
  const { x, y } = points
  let ordered = true
  for (let i = 1; i < x.length && ordered; i++) ordered = (x[i - 1] as number) <= (x[i] as number)
  if (ordered) return points
  const order = Uint32Array.from(x.keys()).sort((a, b) => (x[a] as number) - (x[b] as number))
  return {
    x: Float64Array.from(order, (i) => x[i] as number),
    y: Float64Array.from(order, (i) => y[i] as number),
  }
}
