/** Where people are signed in. */
import * as z from 'zod'

/** `GET /api/v1/me/sign-ins`: one browser or program in which one is signed in. */
export const signInSchema = z.object({
  id: z.string(),
  /** Such as Firefox; absent where it does not say, or is none that is known. */
  browser: z.string().optional(),
  /** Such as Windows. */
  system: z.string().optional(),
  /** From which address it signed in. */
  address: z.string().optional(),
  since: z.string(),
  /** To about a minute. */
  lastSeenAt: z.string(),
  expiresAt: z.string(),
  /** Whether it is the one that asks. */
  here: z.boolean(),
})
export type OwnSignIn = z.infer<typeof signInSchema>
