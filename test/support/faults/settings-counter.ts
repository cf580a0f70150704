import { z } from 'zod'

/** A settings file that tells at a glance whether it is whole. */
export const counterSchema = z
  .object({ count: z.number(), filler: z.string() })
  .refine(({ count, filler }) => count === 0 || filler === String(count).repeat(200), 'filler and count differ')
