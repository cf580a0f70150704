import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'
import { labPageLibrary } from './build/lab-page-library.ts'
import { precompress } from './build/precompress.ts'
import { themeVariables } from './build/theme-variables.ts'

const hub = process.env.FERNLAB_PUBLIC_URL ?? 'http://127.0.0.1:8080'

export default defineConfig(({ mode }) => ({
  plugins: [react(), themeVariables(), labPageLibrary(), precompress()],
  resolve: { conditions: ['source', 'module', 'browser', 'development|production'] },
  build: {
    manifest: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    // While `npm run dev` builds anew, the hub serves what is there.
    emptyOutDir: mode !== 'development',
  },
  server: { proxy: { '/api': hub, '/healthz': hub, '/docs': hub, '/openapi.json': hub } },
}))
