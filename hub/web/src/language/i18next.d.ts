import 'i18next'
import type { English } from './late-texts.ts'

declare module 'i18next' {
  interface CustomTypeOptions {
    resources: { translation: English }
  }
}
