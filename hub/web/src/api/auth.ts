import type { invitedSchema, Me, setupSchema } from '@fernlab/shared/contracts/api'
import type {
  begunSecondFactorSchema,
  confirmedAddressSchema,
  confirmRegistrationSchema,
  recoveryCodesSchema,
  registeringSchema,
  secondStepNeededSchema,
} from '@fernlab/shared/contracts/sign-in'
import type { z } from 'zod'
import type { Api } from './client.ts'

/** Signs in with mail and password; the answer sets the cookie, or says that a code comes next. */
export const signIn = (
  api: Api,
  input: { email: string; password: string },
): Promise<Partial<z.infer<typeof secondStepNeededSchema>>> => api.send('POST', '/api/auth/sign-in/email', input)

/** Finishes a sign-in with a code. */
export const giveCode = (api: Api, input: { code: string; trustBrowser: boolean }): Promise<Me> =>
  api.send('POST', '/api/v1/sign-in/second-factor', input)

const secondFactorPath = '/api/v1/me/second-factor'

/** A secret for an authenticator app. */
export const beginSecondFactor = (api: Api, password: string): Promise<z.infer<typeof begunSecondFactorSchema>> =>
  api.send('POST', secondFactorPath, { password })

/** Turns the second factor on with a code of the app. */
export const confirmSecondFactor = (api: Api, code: string): Promise<z.infer<typeof recoveryCodesSchema>> =>
  api.send('POST', `${secondFactorPath}/confirm`, { code })

/** Other recovery codes instead of all earlier ones. */
export const renewRecoveryCodes = (api: Api, password: string): Promise<z.infer<typeof recoveryCodesSchema>> =>
  api.send('POST', `${secondFactorPath}/recovery-codes`, { password })

/** Turns one's own second factor off. */
export const removeSecondFactor = (api: Api, password: string): Promise<unknown> =>
  api.send('POST', `${secondFactorPath}/remove`, { password })

/** Ends the sign-in of this browser. */
export const signOut = (api: Api): Promise<unknown> => api.send('POST', '/api/auth/sign-out', {})

/** Ends every sign-in of this person, that of this browser too. */
export const signOutEverywhere = (api: Api): Promise<unknown> => api.send('POST', '/api/v1/me/sign-out-everywhere')

/** Sets another password; this browser stays signed in, others do not. */
export const changePassword = (api: Api, input: { currentPassword: string; newPassword: string }): Promise<unknown> =>
  api.send('POST', '/api/auth/change-password', { ...input, revokeOtherSessions: true })

/** Changes one's own name. */
export const rename = (api: Api, name: string): Promise<Me> => api.send('PUT', '/api/v1/me', { name })

/** Closes one's own account for good. */
export const closeAccount = (api: Api, password: string): Promise<unknown> =>
  api.send('POST', '/api/v1/me/close', { password })

/** Where all that the hub knows of this person can be downloaded. */
export const exportPath = '/api/v1/me/export'

/** Creates the first admin and signs in. */
export const setUp = (api: Api, input: z.infer<typeof setupSchema>): Promise<Me> =>
  api.send('POST', '/api/v1/setup', input)

/** Rejects when the set-up link no longer works. */
export const checkSetupLink = (api: Api, token: string): Promise<unknown> =>
  api.send('POST', '/api/v1/setup/check', { token })

/** Who invites, and to what; rejects when the invitation no longer works. */
export const lookAtInvitation = (api: Api, token: string): Promise<z.infer<typeof invitedSchema>> =>
  api.send('POST', '/api/v1/join/check', { token })

/** Makes an account by an invitation and signs in. */
export const join = (api: Api, input: z.infer<typeof setupSchema>): Promise<Me> =>
  api.send('POST', '/api/v1/join', input)

/** Joins the invitation's group with the account that one has. */
export const acceptInvitation = (api: Api, token: string): Promise<{ group: string }> =>
  api.send('POST', '/api/v1/join/accept', { token })

/** Asks for an account; a letter with a link follows. */
export const register = (api: Api, input: { name: string; email: string }): Promise<unknown> =>
  api.send('POST', '/api/v1/register', input)

/** Who registers by the link; rejects when it no longer works. */
export const lookAtRegistration = (api: Api, token: string): Promise<z.infer<typeof registeringSchema>> =>
  api.send('POST', '/api/v1/register/check', { token })

/** Makes the account by the link of a registration and signs in. */
export const confirmRegistration = (api: Api, input: z.infer<typeof confirmRegistrationSchema>): Promise<Me> =>
  api.send('POST', '/api/v1/register/confirm', input)

/** Asks for a letter to a new address of one's own. */
export const changeAddress = (api: Api, input: { email: string; password: string }): Promise<unknown> =>
  api.send('POST', '/api/v1/me/address', input)

/** Makes the address one's own to which the link was sent. */
export const confirmAddress = (api: Api, token: string): Promise<z.infer<typeof confirmedAddressSchema>> =>
  api.send('POST', '/api/v1/address/confirm', { token })

/** Asks for a one-time link by mail. */
export const forgotPassword = (api: Api, email: string): Promise<unknown> =>
  api.send('POST', '/api/v1/password/forgot', { email })

/** Sets a new password by a one-time link. */
export const resetPassword = (api: Api, input: { token: string; password: string }): Promise<unknown> =>
  api.send('POST', '/api/v1/password/reset', input)
