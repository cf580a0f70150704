import {
  calibrateSchema,
  signalCalibrationsSchema,
  undoCalibrationSchema,
} from '@fernlab/shared/contracts/calibrations'
import { z } from '@hono/zod-openapi'
import type { AddRoute, ApiParts } from '../context.ts'
import { nodeParams } from './fleet.ts'

/** Calibrations of a node's signals; staff and lab builders change them. */
export function calibrationRoutes(add: AddRoute, { nodeCalibrations }: Pick<ApiParts, 'nodeCalibrations'>): void {
  const refusals = [
    'bench-busy',
    'calibration-none',
    'calibration-unfit',
    'instrument-unknown',
    'node-offline',
    'node-silent',
    'node-unknown',
  ] as const
  add(
    {
      method: 'get',
      path: '/api/v1/nodes/{node}/calibrations',
      tag: 'Fleet',
      summary: 'How raw values of a node’s signals become values, with all earlier calibrations',
      access: 'nodes.read',
      errors: ['node-offline', 'node-silent', 'node-unknown'],
      params: nodeParams,
      answer: {
        schema: z.object({ items: z.array(signalCalibrationsSchema) }),
        what: 'Signals by name; in a history the last that is not undone is in force',
      },
    },
    async ({ c, params }) => {
      const all = Object.entries(await nodeCalibrations.of(params.node)).sort(([a], [b]) => (a < b ? -1 : 1))
      return c.json({ items: all.map(([signal, history]) => ({ signal, history })) })
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/nodes/{node}/calibrations',
      tag: 'Fleet',
      summary: 'Calibrate a signal of a node, from now on',
      description:
        'Refused with `bench-busy` while somebody has the bench of the instrument. With `curve: null` raw values count from now on.',
      access: 'benches.maintain',
      errors: refusals,
      params: nodeParams,
      body: calibrateSchema,
      answer: { schema: signalCalibrationsSchema, what: 'The signal’s calibrations, the newest last' },
    },
    async ({ c, params, body, caller }) => {
      const { signal, ...calibration } = body
      const history = await nodeCalibrations.change(params.node, signal, calibration, caller)
      return c.json({ signal, history: [...history] })
    },
  )
  add(
    {
      method: 'post',
      path: '/api/v1/nodes/{node}/calibrations/undo',
      tag: 'Fleet',
      summary: 'Put the calibration before the present one in force again',
      description: 'The present one stays in the history, marked as undone.',
      access: 'benches.maintain',
      errors: refusals,
      params: nodeParams,
      body: undoCalibrationSchema,
      answer: { schema: signalCalibrationsSchema, what: 'The signal’s calibrations, the newest last' },
    },
    async ({ c, params, body, caller }) => {
      const history = await nodeCalibrations.change(params.node, body.signal, 'undo', caller)
      return c.json({ signal: body.signal, history: [...history] })
    },
  )
}
