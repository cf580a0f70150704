import './theme/styles.ts'
import { MantineProvider } from '@mantine/core'
import { QueryClient, QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { I18nextProvider } from 'react-i18next'
import { ApiProblem, openApi } from './api/client.ts'
import { openConnection } from './api/connection.ts'
import { HubProvider } from './api/context.tsx'
import { PlaceProvider } from './frame/place.tsx'
import { openLanguage } from './language/language.ts'
import { openRouter } from './router.tsx'
import { theme } from './theme/theme.ts'

const connection = openConnection()
const api = openApi({ reachability: connection, fetch: (...request) => fetch(...request) })
const client = new QueryClient({
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

if (root !== null) {
  createRoot(root).render(
    <StrictMode>
      <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
        <I18nextProvider i18n={language}>
          <QueryClientProvider client={client}>
            <HubProvider hub={{ api, connection }}>
              <PlaceProvider>
                <RouterProvider router={router} />
              </PlaceProvider>
            </HubProvider>
          </QueryClientProvider>
        </I18nextProvider>
      </MantineProvider>
    </StrictMode>,
  )
}
