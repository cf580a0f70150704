import type { Me } from '@fernlab/shared/contracts/api'
import type { Passkey, PasskeyCreation, PasskeyRequest } from '@fernlab/shared/contracts/passkeys'
import { queryOptions } from '@tanstack/react-query'
import type { Api } from '../api/client.ts'
import { makePasskey, showPasskey } from './web-authn.ts'

const path = '/api/v1/me/passkeys'

/** One's own passkeys. */
export const passkeysQuery = (api: Api) =>
  queryOptions({
    queryKey: ['me', 'passkeys'],
    queryFn: ({ signal }) => api.get<{ items: readonly Passkey[] }>(path, signal),
  })

/** Has this device make a passkey, and the hub keep it; throws `NoPasskey`. */
export async function addPasskey(api: Api, { name, password }: { name: string; password: string }): Promise<Passkey> {
  const creation = await api.send<PasskeyCreation>('POST', `${path}/begin`, { password })
  return api.send('POST', path, { name, credential: await makePasskey(creation) })
}

/** Gives a passkey another name. */
export const renamePasskey = (api: Api, id: string, name: string): Promise<Passkey> =>
  api.send('PUT', `${path}/${id}`, { name })

/** Removes a passkey. */
export const removePasskey = (api: Api, id: string, password: string): Promise<unknown> =>
  api.send('POST', `${path}/${id}/remove`, { password })

/** Signs in whoever the device says; throws `NoPasskey`. */
export async function signInWithPasskey(api: Api): Promise<Me> {
  const request = await api.send<PasskeyRequest>('POST', '/api/v1/sign-in/passkey/begin')
  return api.send('POST', '/api/v1/sign-in/passkey', { credential: await showPasskey(request) })
}
