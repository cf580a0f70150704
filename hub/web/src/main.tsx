import './theme/styles.ts'
import { MantineProvider } from '@mantine/core'
import { MutationCache, QueryCache, QueryClient, QueryClientProvider, type QueryMeta } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { I18nextProvider } from 'react-i18next'
import { ApiProblem, isSignInNeeded, openApi } from './api/client.ts'
import { openConnection } from './api/connection.ts'
import { HubProvider } from './api/context.tsx'
import { meQuery } from './api/queries.ts'
import { PlaceProvider } from './frame/place.tsx'
import { UpdatedHubProvider } from './frame/updated-hub.tsx'
import { openLanguage } from './language/language.ts'
import { openRouter } from './router.tsx'
import { theme } from './theme/theme.ts'

const connection = openConnection()
const api = openApi({ reachability: connection, fetch: (...request) => fetch(...request) })
/** Looks again who is signed in when the hub asks for somebody who is; once that is known, no more. */
const onError = (error: unknown) => {
  if (isSignInNeeded(error) && !isSignInOver()) lookAgain()
}
/** Looks again, too, when the hub answers what it tells no stranger: one may have signed in in another window. */
const onSuccess = (_: unknown, { meta }: { readonly meta: QueryMeta | undefined }) => {
  if (meta?.isOpen !== true && isSignInOver()) lookAgain()
}
const { queryKey: mine } = meQuery(api)
const isSignInOver = () => isSignInNeeded(client.getQueryState(mine)?.error)
const lookAgain = () => void client.invalidateQueries({ queryKey: mine, exact: true })
const client: QueryClient = new QueryClient({
  queryCache: new QueryCache({ onError, onSuccess }),
  mutationCache: new MutationCache({ onError }),
  defaultOptions: {
    queries: {
      // A refusal stays a refusal; silence may pass.
      retry: (failures, error) => failures < 2 && error instanceof ApiProblem && error.status === 0,
      networkMode: 'always',
      staleTime: 2_000,
    },
    mutations: { networkMode: 'always' },
  },
})
const router = openRouter({ api, client })
const language = await openLanguage()
const root = document.getElementById('root')

/** A page for others: the hub's answer, and no fault of this page. */
const isRefusal = (error: unknown) => error instanceof ApiProblem && error.status === 403

if (root !== null) {
  createRoot(root, {
    onCaughtError: (error) => {
      if (!isRefusal(error)) reportError(error)
    },
  }).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
        <I18nextProvider i18n={language}>
          <QueryClientProvider client={client}>
            <HubProvider hub={{ api, connection }}>
              <UpdatedHubProvider>
                <PlaceProvider>
                  <RouterProvider router={router} />
                </PlaceProvider>
              </UpdatedHubProvider>
            </HubProvider>
          </QueryClientProvider>
        </I18nextProvider>
      </MantineProvider>
    </StrictMode>,
  )
}
