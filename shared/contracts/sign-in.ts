/** How people come to an account and into it: rules of the site, registration, addresses. One schema each. */
import * as z from 'zod'
import { writtenText } from './common.ts'
import { selfRegisteredRoles } from './people.ts'

const name = writtenText(120).min(1)
const email = z.email().max(254)
const password = z.string().min(10).max(200)
const token = z.string().max(200)

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
  /** Whether staff and lab builders must have a second factor; without one they can do nothing but set it up. */
  staffSecondFactor: z.boolean(),
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

/** What is answered where a letter follows, in words: the same whether or not the address is known. */
export const letterAskedSchema = z.object({ message: z.string() })

/** `POST /api/v1/me/address`: asks for a letter to the new address. */
export const changeAddressSchema = z.strictObject({ email, password: z.string().min(1).max(200) })
/** `POST /api/v1/address/confirm`. */
export const confirmedAddressSchema = z.object({ email: z.string() })

const secret = z.string().min(1).max(200)
/** `GET /api/v1/me/second-factor`. */
export const secondFactorSchema = z.object({
  on: z.boolean(),
  /** How many recovery codes are left. */
  recoveryCodes: z.number(),
  /** The site's rules want it of this person. */
  required: z.boolean(),
})
export type SecondFactorState = z.infer<typeof secondFactorSchema>
/** `POST /api/v1/me/second-factor`, `…/recovery-codes`, `…/remove`: with the password. */
export const withPasswordSchema = z.strictObject({ password: secret })
/** What goes into the authenticator app: typed, or as a picture of the address. */
export const begunSecondFactorSchema = z.object({ secret: z.string(), uri: z.string() })
/** `POST /api/v1/me/second-factor/confirm`. */
export const secondFactorCodeSchema = z.strictObject({ code: secret })
/** Each signs in once instead of a code of the app; shown once. */
export const recoveryCodesSchema = z.object({ recoveryCodes: z.array(z.string()) })
/** What `POST /api/auth/sign-in/email` answers where the password alone does not sign in. */
export const secondStepNeededSchema = z.object({
  secondFactor: z.literal(true),
  /** What may come next. */
  by: z.array(z.enum(['code', 'passkey'])),
})
/** The account behind a sign-in, in the words of `/api/auth`; `/api/v1/me` says more of the person. */
const signedInUser = z.object({
  id: z.string(),
  name: z.string(),
  email: z.string(),
  emailVerified: z.boolean(),
  image: z.string().nullable(),
  createdAt: z.iso.datetime(),
  updatedAt: z.iso.datetime(),
})
/** `POST /api/auth/sign-in/email` where the password is enough: the cookie is set. */
export const signedInSchema = z.object({ redirect: z.boolean(), token: z.string(), user: signedInUser })
/** `POST /api/auth/change-password`; with a token where this browser got another sign-in. */
export const passwordChangedSchema = z.object({ token: z.string().nullable(), user: signedInUser })
/** `POST /api/auth/sign-out`. */
export const signedOutSchema = z.object({ success: z.boolean() })
/** `GET /api/auth/get-session`: null for who is not signed in. */
export const signInOfCookieSchema = z
  .object({
    session: z.object({
      id: z.string(),
      userId: z.string(),
      token: z.string(),
      ipAddress: z.string().nullable(),
      userAgent: z.string().nullable(),
      createdAt: z.iso.datetime(),
      updatedAt: z.iso.datetime(),
      expiresAt: z.iso.datetime(),
    }),
    user: signedInUser,
  })
  .nullable()
/** `POST /api/v1/sign-in/second-factor`: a code of the app, or a recovery code. */
export const secondStepSchema = z.strictObject({ code: secret, trustBrowser: z.boolean().default(false) })
