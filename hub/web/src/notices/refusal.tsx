import { lazy, Suspense } from 'react'
import { useTranslation } from 'react-i18next'

const Translated = lazy(() => import('./translated-refusal.tsx'))

/** What the hub says of a form that it refused, in the language of the page; it speaks English. */
export function Refusal({ text }: { text: string }) {
  const { i18n } = useTranslation()
  if (i18n.language === 'en') return text
  return (
    <Suspense fallback={text}>
      <Translated text={text} />
    </Suspense>
  )
}
