import * as z from 'zod'
import { checkReportSchema } from './bench-checks.ts'
import { interlockStatusSchema } from './interlocks.ts'
import { benchStateSchema } from './run-state.ts'

/** Retained JSON on `nodes/<node>/health`. */
export const nodeHealthSchema = z.object({
  version: z.string(),
  time: z.string(),
  uptime_s: z.number(),
  cpu_temp_Cel: z.number().nullable(),
  load: z.number(),
  memory_bytes: z.number(),
  disk_free_bytes: z.number(),
  queue_depth: z.number(),
  outbox_depth: z.number(),
  clock_offset_ms: z.number().nullable(),
  /** What is wrong, each with what to do; empty when all is well. */
  problems: z.array(z.object({ code: z.string(), message: z.string() })),
  /** By what instruments reach their hardware, of those that are connected and have a choice: `pinctrl-bcm2711 (58 lines, base 512) by sysfs`. */
  reached: z.array(z.object({ instrument: z.string(), by: z.string() })).optional(),
})
export type NodeHealth = z.infer<typeof nodeHealthSchema>

/** Retained JSON on `nodes/<node>/benches/<bench>`. */
export const benchStatusSchema = z.object({
  state: benchStateSchema,
  since: z.string(),
  reason: z.string().optional(),
  run: z.string().optional(),
  lease: z.literal(true).optional(),
  /** How each check of the bench went the last time. */
  checks: z.array(checkReportSchema).optional(),
  /** How its interlocks stand. */
  interlocks: z.array(interlockStatusSchema).readonly().optional(),
})
export type BenchStatus = z.infer<typeof benchStatusSchema>

/** Retained JSON on `nodes/<node>/instruments/<instrument>/<signal>`. */
export const signalValueSchema = z.object({
  value: z.union([z.number(), z.string(), z.boolean()]),
  unit: z.string(),
  time: z.string(),
})

/** JSON on `nodes/<node>/instruments/<instrument>/<signal>/set`, not retained; for the hub. */
export const signalSetSchema = z.object({ value: signalValueSchema.shape.value, lease: z.string().max(200) })
