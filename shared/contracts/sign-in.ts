/** How people come to an account and into it: rules of the site, registration, addresses. One schema each. */
import * as z from 'zod'

const name = z.string().trim().min(1).max(120)
const email = z.email().max(254)
const password = z.string().min(10).max(200)
const token = z.string().max(200)

/** Roles that people may be given who register themselves. */
export const selfRegisteredRoles = ['student', 'guest'] as const

/** What stands behind the @ of an address, in lower case. */
const domainSchema = z
  .string()
  .trim()
  .toLowerCase()
  .max(253)
  .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)+$/, 'give what stands behind the @, such as school.example')

/** `GET` and `PUT /api/v1/settings/sign-in` (admin). */
export const signInRulesSchema = z.strictObject({
  registration: z.strictObject({
    /** Whether people may make accounts without an invitation; needs a mail server. */
    open: z.boolean(),
    /** Mail domains from which people may register; empty: any. */
    domains: z.array(domainSchema).max(100),
    role: z.enum(selfRegisteredRoles),
  }),
})
export type SignInRules = z.infer<typeof signInRulesSchema>

/** `POST /api/v1/register`: asks for a letter with a link. */
export const registerSchema = z.strictObject({ name, email })
/** `POST /api/v1/register/check`, `/api/v1/address/confirm`: the secret of a link from a letter. */
export const letterLinkSchema = z.strictObject({ token })
/** What the link of a registration opens. */
export const registeringSchema = z.object({ name: z.string(), email: z.string() })
/** `POST /api/v1/register/confirm`: makes the account and signs in. */
export const confirmRegistrationSchema = z.strictObject({ token, name, password })

/** `POST /api/v1/me/address`: asks for a letter to the new address. */
export const changeAddressSchema = z.strictObject({ email, password: z.string().min(1).max(200) })
/** `POST /api/v1/address/confirm`. */
export const confirmedAddressSchema = z.object({ email: z.string() })
