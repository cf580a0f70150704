import { useTranslation } from 'react-i18next'
import { refusalIn } from '../words/refusals.ts'

/** Apart for the many sentences that it knows. */
export default function TranslatedRefusal({ text }: { text: string }) {
  const { t } = useTranslation()
  return refusalIn(text, t)
}
